"""docs/openapi.json: a valid document that says of each method what the contract says."""

from __future__ import annotations

from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message
from openapi_spec_validator import OpenAPIV31SpecValidator
from unora.common.v1.options_pb2 import Access
from unora_gateway.openapi import bounds
from unora_gateway.openapi.document import for_servers

from tests.contract.contract import RAW, Method, bad, methods, valid
from tests.unit.gateway.openapi_document import document, misfits, operations

OPEN = {Access.ACCESS_PUBLIC, Access.ACCESS_USER, Access.ACCESS_ADMIN}
APPS = [method for method in methods() if method.policy.access in OPEN]
OURS = [method for method in APPS if method.descriptor.input_type.full_name != RAW]


def of(found: list[Method]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", found, ids=[str(method) for method in found])


def test_it_is_valid_openapi_3_1() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_it_has_every_method_that_apps_may_call_and_no_other() -> None:
    assert sorted(operations()) == sorted(method.policy.name for method in APPS)


def test_names_of_operations_are_unique() -> None:
    ids = [each["operationId"] for path in document()["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))


def test_every_operation_parameter_and_field_has_words() -> None:
    silent = [name for name, each in operations().items() if not (each["summary"] and each["description"])]
    silent += [
        f"{name}.{parameter['name']}"
        for name, each in operations().items()
        for parameter in each.get("parameters", [])
        if not parameter["description"]
    ]
    silent += [
        f"{name}.{field}"
        for name, schema in document()["components"]["schemas"].items()
        for field, each in schema.get("properties", {}).items()
        if not each.get("description")
    ]
    assert silent == []


@of(APPS)
def test_who_may_call_is_what_the_contract_says(method: Method) -> None:
    operation = operations()[method.policy.name]
    assert bool(operation["security"]) == method.policy.needs_member
    assert ("admin" in operation["tags"]) == (method.policy.access == Access.ACCESS_ADMIN)
    assert ("401" in operation["responses"]) == (
        method.policy.needs_member or "SESSION_INVALID" in str(operation["responses"])
    )


@of(OURS)
def test_a_valid_request_fits_and_every_bad_one_does_not(method: Method) -> None:
    kind = method.descriptor.input_type
    assert _misfits(method, valid(kind)) == []
    for each in bad(kind):
        if not _is_only_in_words(kind, each.path):
            assert _misfits(method, each.request), f"{each.path}: {each.why}"


def test_a_rule_without_a_translation_is_refused() -> None:
    field = FieldDescriptorProto(name="name", type=FieldDescriptorProto.TYPE_STRING)
    field.options.Extensions[validate_pb2.field].string.prefix = "x"
    with pytest.raises(bounds.UnknownRuleError, match="prefix"):
        bounds.of_text(bounds.rules_of(field).string)


def test_servers_can_be_named() -> None:
    assert for_servers(document(), ["https://api.example.com"])["servers"] == [{"url": "https://api.example.com"}]
    assert for_servers(document(), []) == document()


def _misfits(method: Method, request: Message) -> list[str]:
    """What of a request does not fit, as an app sends it: with the fields that are set."""
    operation = operations()[method.policy.name]
    values = json_format.MessageToDict(request, preserving_proto_field_name=True)
    found = []
    for parameter in operation.get("parameters", []):
        value = _taken(values, parameter["name"])
        if value is not None:
            found += misfits(parameter["schema"], value)
        elif parameter.get("required"):
            found.append(f"{parameter['name']} is missing")
    if "requestBody" in operation:
        found += misfits(operation["requestBody"]["content"]["application/json"]["schema"], values)
    return found


def _taken(values: dict[str, Any], path: str) -> Any:
    """Takes the value of a parameter, such as `between.since`, out of those of a request; None if it is not set."""
    *parents, name = path.split(".")
    for parent in parents:
        values = values.get(parent, {})
    return values.pop(name, None)


def _is_only_in_words(message: Descriptor, path: str) -> bool:
    """Whether JSON Schema cannot say a field's bounds: those of whole numbers of 64 bits, which are strings."""
    name, _, rest = path.partition(".")
    field = message.fields_by_name[name.partition("[")[0]]
    if rest:
        assert field.message_type is not None
        return _is_only_in_words(field.message_type, rest)
    return field.type == FieldDescriptor.TYPE_INT64
