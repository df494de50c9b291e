"""Each event of the contract has a domain event with the same fields: a forgotten field would be empty in silence."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from unora_common.config import CONTEXTS
from unora_common.domain_events import DomainEvent
from unora_common.messages import event_encoder

VALUES: dict[type, Any] = {
    UUID: UUID(int=7),
    int: 3,
    bool: True,
    str: "x",
    bytes: b"x",
    datetime: datetime(2026, 2, 28, 12, tzinfo=UTC),
    date: date(2026, 2, 28),
}
EVENTS = [
    (context, name)
    for context in CONTEXTS
    for name in importlib.import_module(f"unora.{context}.v1.events_pb2").DESCRIPTOR.message_types_by_name
]


def values_of(hint: Any, field: Any) -> Iterator[Any]:
    """Values of a type: one, or each member of an enum. `field` is the message's field."""
    if kinds := get_args(hint):
        for kind in kinds:
            yield from values_of(kind, field)
    elif hint is NoneType:
        yield None
    elif issubclass(hint, StrEnum):
        yield from hint
    elif field.enum_type is not None:
        prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        yield from (each.name.removeprefix(prefix).lower() for each in field.enum_type.values[1:])
    else:
        yield VALUES[hint]


@pytest.mark.parametrize(("context", "name"), EVENTS)
def test_an_event_fills_every_field_of_its_message(context: str, name: str) -> None:
    messages = importlib.import_module(f"unora.{context}.v1.events_pb2")
    kind: type[DomainEvent] = getattr(importlib.import_module(f"unora_{context}.domain.events"), name)
    hints, contract = get_type_hints(kind), messages.DESCRIPTOR.message_types_by_name[name].fields_by_name
    assert {field.name for field in dataclasses.fields(kind)} == set(contract)
    values = {field: list(values_of(hints[field], contract[field])) for field in contract}
    encode = event_encoder(messages)
    for number in range(max(map(len, values.values()))):  # so that each value of each enum is encoded once
        chosen = {field: choices[number % len(choices)] for field, choices in values.items()}
        message = encode(kind(**chosen))
        filled = {field.name for field, _ in message.ListFields()}
        assert filled == {field for field, value in chosen.items() if value is not None}
