"""The reference of events is true: its messages are those of the contract, and its examples were really published."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, json_format
from jsonschema_rs import Draft202012Validator
from unora_local.keyboard.contract import by_subject
from unora_sdk.names import aggregate_of, occurred_at
from unora_tools.events import asyncapi, headers
from unora_tools.events.catalogue import Event, contract, events, examples
from unora_tools.events.proto_text import UnknownTypeError, proto_text

from tests.unit.docs.repository import DOCS

PROTOC: Any = import_module("grpc_tools.protoc")  # it has no types
WITHOUT_EXAMPLE = {
    "unora.identity.v1.PhoneChanged",
    "unora.identity.v1.TextsReviewed",
    "unora.identity.v1.UnderAgeDateReplaced",
    "unora.identity.v1.RoleRevoked",
    "unora.identity.v1.SecondFactorRefused",
    "unora.identity.v1.DisclosureEnded",
    "unora.discovery.v1.ServerLeft",
    "unora.discovery.v1.RefreshTimerChanged",
    "unora.streak.v1.NudgeRejected",
    "unora.reveal.v1.PurchaseRejected",
    "unora.billing.v1.PaymentMismatched",
    "unora.billing.v1.MismatchResolved",
    "unora.safety.v1.MemberUnblocked",
    "unora.safety.v1.FlagRaised",
}
"""Events that the story of the demo does not cause. A new event belongs into the story, or into this list."""
CLOSED = {"InterestSent", "InterestClosed", "InterestsWiped"}
"""Events that no subscriber outside Unora may consume (MA-10)."""
each_event = pytest.mark.parametrize("event", events(), ids=[event.type for event in events()])
each_example = pytest.mark.parametrize(
    "event", [pytest.param(each, id=each.type) for each in events() if each.type in examples()]
)


@cache
def document() -> dict[str, Any]:
    return asyncapi.document("1")


def compiled(text: str, folder: Path) -> descriptor_pb2.FileDescriptorProto:
    """The `.proto` of a message, read by protoc with nothing beside it but Google's own files."""
    (date,) = (
        each.locate() for each in files("googleapis-common-protos") or () if str(each).endswith("type/date.proto")
    )
    (folder / "event.proto").write_text(text)
    out = folder / "event.binpb"
    includes = [folder, Path(PROTOC.__file__).parent / "_proto", Path(str(date)).parents[2]]
    assert PROTOC.main(["protoc", *(f"-I{each}" for each in includes), f"-o{out}", "event.proto"]) == 0
    (found,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return found


@each_event
def test_the_text_of_a_message_stands_alone_and_is_the_contract(event: Event, tmp_path: Path) -> None:
    file = compiled(proto_text(contract(), event.type), tmp_path)
    (message,) = file.message_type
    assert f"{file.package}.{message.name}" == event.type
    for found, wanted in zip(message.field, event.descriptor.field, strict=True):
        assert (found.name, found.number, found.type, found.label, found.proto3_optional) == (
            *(wanted.name, wanted.number, wanted.type, wanted.label),
            wanted.proto3_optional,
        )
        assert found.type_name.rpartition(".")[2] == wanted.type_name.rpartition(".")[2]
    named = {each.type_name[1:] for each in event.descriptor.field if each.type == each.TYPE_ENUM}
    values = {name.rpartition(".")[2]: contract().types[name].descriptor for name in named}
    assert {each.name: list(each.value) for each in file.enum_type} == {
        name: list(enum.value) for name, enum in values.items() if isinstance(enum, descriptor_pb2.EnumDescriptorProto)
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unora.streak.v1.GetStreakResponse", "streak is a unora.streak.v1.Streak"),
        ("unora.safety.v1.Target", "in a oneof"),
        ("unora.identity.v1.GetJwksResponse", "a type inside it"),
    ],
)
def test_a_message_that_cannot_be_written_whole_is_an_error(name: str, why: str) -> None:
    with pytest.raises(UnknownTypeError, match=why):
        proto_text(contract(), name)


def test_every_event_has_an_example_or_is_known_to_have_none() -> None:
    every = {each.type for each in events()}
    assert set(examples()) <= every
    assert every - set(examples()) == WITHOUT_EXAMPLE


@each_example
def test_an_example_is_an_event_as_it_is_published(event: Event) -> None:
    given = examples()[event.type]
    own = {"components": {"schemas": {headers.NAME: headers.shared()}}} | headers.own(event)
    faults = Draft202012Validator(own, validate_formats=True).iter_errors(given["headers"])
    assert [str(each) for each in faults] == []
    assert set(given["headers"]) <= set(headers.HEADERS)
    message = json_format.ParseDict(given["message"], by_subject()[event.subject]())
    aggregate, version = aggregate_of(message)
    assert given["headers"]["ce-subject"] == str(aggregate)
    assert version > 0
    assert given["headers"]["ce-time"] == occurred_at(message).isoformat().replace("+00:00", "Z")
    always = {each.name for each in message.DESCRIPTOR.fields if not each.has_presence}
    assert always <= set(given["message"])


def test_a_wrong_header_does_not_fit() -> None:
    event = events()[0]
    own = {"components": {"schemas": {headers.NAME: headers.shared()}}} | headers.own(event)
    right = examples()[event.type]["headers"]
    for wrong in ({"ce-type": "unora.x"}, {"ce-time": "yesterday"}, {"ce-id": "1"}, {"unora-again": "2026-11-01"}):
        assert not Draft202012Validator(own, validate_formats=True).is_valid(right | wrong), wrong
    assert not Draft202012Validator(own).is_valid({name: right[name] for name in right if name != "ce-id"})
    again = right | {"unora-again": "2026-11-01T10:00:00Z"}
    assert Draft202012Validator(own, validate_formats=True).is_valid(again)


def test_the_headers_of_interfaces_are_in_the_document() -> None:
    page = (DOCS / "interfaces.md").read_text().partition("## For a subscriber")[2]
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert {"ce-id", "traceparent"} <= named <= set(headers.HEADERS)


@pytest.mark.rule("MA-10")
def test_a_subscriber_is_told_how_to_take_every_event_that_it_may_take() -> None:
    open_to_all = [each for each in events() if each.name not in CLOSED]
    assert {each.name for each in events() if not each.is_for_subscribers} == CLOSED
    operations = document()["operations"].values()
    assert [each["x-jetstream"]["filter_subjects"][0] for each in operations] == [each.subject for each in open_to_all]
    assert set(document()["channels"]) == set(by_subject())
    assert document()["operations"]["receive.streak.CheckedIn"]["x-jetstream"] == {
        "stream": "unora_streak",
        "durable": "<subscriber>__checked_in",
        "filter_subjects": [
            "unora.streak.v1.checked_in",
            "unora.streak.again.<subscriber>__checked_in.checked_in",
        ],
        "ack_policy": "explicit",
        "max_ack_pending": 500,
    }


@each_event
def test_the_page_of_a_context_has_the_fields_of_an_event(event: Event) -> None:
    page = (DOCS / "events" / f"{event.context}.md").read_text()
    section = page.partition(f"\n## {event.name}\n")[2].partition("\n## ")[0]
    assert f"- Subject: `{event.subject}`" in section
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [each.name for each in event.descriptor.field]
    assert all(
        re.findall(rf"^\| `{each.name}` \| \S.* \| \S.* \|$", section, re.MULTILINE) for each in event.descriptor.field
    )
    assert ("```json" in section) == (event.type in examples())
