"""The promises of the contract, checked by its descriptors (XX-01, XX-03): a new method or event is checked at once."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from unora.common.v1 import options_pb2
from unora.common.v1.options_pb2 import Access, Repeat
from unora_common.config import CONTEXTS
from unora_local.tls import OUTSIDE

from tests.contract.contract import RAW, Method, events, fields_of, files, methods, rules_of, unbounded

METHODS = [pytest.param(method, id=str(method)) for method in methods()]
OURS = [pytest.param(method, id=str(method)) for method in methods() if method.descriptor.input_type.full_name != RAW]
OTHERS = [pytest.param(method, id=str(method)) for method in methods() if method.descriptor.input_type.full_name == RAW]
EVENTS = [pytest.param(event, id=event.full_name.removeprefix("unora.")) for event in events()]
KNOWN_BY_PAYMENT = {"streak.AuthorizeRecovery"}
"""Methods that recognise a repeat by the payment id: billing creates one payment for each request of a payer."""
FOR_PEOPLE = (Access.ACCESS_PUBLIC, Access.ACCESS_USER, Access.ACCESS_ADMIN)

# Words in a field's name that mean personal content, which no event may hold (XX-01). Ids of such objects are allowed.
PERSONAL = frozenset(
    (
        *(
            "name",
            "phone",
            "e164",
            "email",
            "address",
            "bio",
            "text",
            "description",
            "micro",
            "city",
            "place",
            "location",
        ),
        *("latitude", "longitude", "birth", "dob", "gender", "occupation", "photo", "url", "key", "token", "code"),
        *("secret", "answer", "content", "message", "reason", "note", "ip", "device", "password"),
    )
)
TEXTS_OF_EVENTS = {"role", "time_zone", "document"}
"""Strings that are states and not ids: an IANA zone, a role's name, and the signed numbers and hashes of SA-11."""

DIGESTS = {"device_digest", "phone_digest"}
"""Keyed hashes: they only show whether two values are equal (SA-04)."""


def option(method: Method) -> Any:
    return method.descriptor.GetOptions().Extensions[options_pb2.method]


def http(method: Method) -> Any:
    return method.descriptor.GetOptions().Extensions[annotations_pb2.http]


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_who_may_call_it(method: Method) -> None:
    policy = option(method)
    assert policy.access != Access.ACCESS_UNSPECIFIED
    assert set(policy.callers) <= {*CONTEXTS, *OUTSIDE}
    assert bool(policy.callers) or policy.access != Access.ACCESS_SERVICE
    assert method.context not in policy.callers


@pytest.mark.rule("BI-08")
@pytest.mark.parametrize("method", OURS)
def test_every_method_that_changes_something_can_be_repeated(method: Method) -> None:
    reads_only = method.descriptor.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    request_id = method.descriptor.input_type.fields_by_name.get("request_id")
    if str(method) in KNOWN_BY_PAYMENT:
        assert rules_of(method.descriptor.input_type.fields_by_name["payment_id"]).string.uuid
        assert option(method).repeat == Repeat.REPEAT_OWN
    elif reads_only:
        assert request_id is None
        assert option(method).repeat == Repeat.REPEAT_UNSPECIFIED
    else:
        assert request_id is not None
        assert request_id.number == 1
        assert rules_of(request_id).string.uuid
        assert option(method).repeat in (Repeat.REPEAT_KEPT_ANSWER, Repeat.REPEAT_OWN)


@pytest.mark.parametrize("method", OURS)
def test_every_method_has_a_request_and_a_response_of_its_own(method: Method) -> None:
    name = method.policy.name
    assert method.descriptor.input_type.name == f"{name}Request"
    assert method.descriptor.output_type.name == f"{name}Response"


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("method", OTHERS)
def test_a_method_with_a_raw_body_recognises_repeats_itself(method: Method) -> None:
    assert method.policy.access == Access.ACCESS_PUBLIC
    assert method.policy.repeat == Repeat.REPEAT_OWN
    assert http(method).body == "*"


def _is_bounded(field: FieldDescriptor, rules: Any) -> bool:
    if field.type == FieldDescriptor.TYPE_STRING:
        text = rules.string
        return bool(
            text.uuid
            or text.max_len
            or text.len
            or getattr(text, "in")
            or (text.pattern and not unbounded(text.pattern))
        )
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bool(rules.bytes.max_len or rules.bytes.len)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return bool(rules.enum.defined_only or getattr(rules.enum, "in"))
    return True


@pytest.mark.parametrize("method", OURS)
def test_every_field_of_every_request_is_bounded(method: Method) -> None:
    loose = []
    for path, field in fields_of(method.descriptor.input_type):
        rules = rules_of(field)
        if field.is_repeated and not rules.repeated.max_items:
            loose.append(f"{path}: how many?")
        if not _is_bounded(field, rules.repeated.items if field.is_repeated else rules):
            loose.append(f"{path}: how long, or which?")
    assert loose == []


@pytest.mark.parametrize("method", METHODS)
def test_methods_for_people_have_a_rest_route_and_methods_for_services_have_none(method: Method) -> None:
    assert bool(http(method).WhichOneof("pattern")) == (option(method).access in FOR_PEOPLE)


def test_no_two_methods_have_the_same_route() -> None:
    routes = []
    for method in methods():
        verb = http(method).WhichOneof("pattern")
        if verb:
            routes.append((verb, re.sub(r"\{[^}]*\}", "{}", getattr(http(method), verb))))
    assert [route for route, count in Counter(routes).items() if count > 1] == []


@pytest.mark.parametrize("method", METHODS)
def test_routes_name_fields_that_exist(method: Method) -> None:
    verb = http(method).WhichOneof("pattern")
    named = set(re.findall(r"\{([^}=]*)", getattr(http(method), verb))) if verb else set()
    assert named <= {path for path, _ in fields_of(method.descriptor.input_type)}
    if verb:
        assert (verb == "get") == (method.policy.reads_only)


@pytest.mark.rule("XX-02")
@pytest.mark.parametrize("event", EVENTS)
def test_every_event_begins_with_its_aggregate_and_version(event: Descriptor) -> None:
    first, second = event.fields[:2]
    assert (first.number, second.number) == (1, 2)
    assert first.type == FieldDescriptor.TYPE_STRING
    assert first.name.endswith("_id")
    assert (second.name, second.type) == ("version", FieldDescriptor.TYPE_INT64)
    occurred = event.fields_by_name["occurred_at"]
    assert occurred.message_type is not None
    assert occurred.message_type.full_name == "google.protobuf.Timestamp"


@pytest.mark.rule("XX-01")
@pytest.mark.parametrize("event", EVENTS)
def test_no_event_can_hold_personal_content(event: Descriptor) -> None:
    for path, field in fields_of(event):
        name = field.name
        if name in DIGESTS:
            continue
        assert field.type != FieldDescriptor.TYPE_BYTES, path
        if field.type == FieldDescriptor.TYPE_STRING:
            assert name.endswith(("_id", "_ids")) or name in TEXTS_OF_EVENTS, f"{path}: ids, states and numbers only"
        if not name.endswith(("_id", "_ids")):
            assert not PERSONAL & set(name.split("_")), path
        assert not field.GetOptions().Extensions[options_pb2.sensitive], path


def test_every_context_has_its_events_in_one_file() -> None:
    assert {event.full_name.split(".")[1] for event in events()} <= set(CONTEXTS)
    names = [event.full_name for event in events()]
    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize("file", [pytest.param(file, id=file.name) for file in files()])
def test_every_enum_begins_with_unspecified(file: Any) -> None:
    for enum in file.enum_types_by_name.values():
        assert enum.values[0].number == 0
        assert enum.values[0].name.endswith("_UNSPECIFIED")
