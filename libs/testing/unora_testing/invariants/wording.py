"""Events in no words: what they carry, by their own descriptors."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any, Final
from zoneinfo import available_timezones

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.symbol_database import Default
from google.protobuf.unknown_fields import UnknownFieldSet
from unora_common.config import CONTEXTS
from unora_common.outbox import type_of

from unora_testing.invariants.invariant import Invariant, Row

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|")
DIGEST: Final = 32
"""Bytes of a keyed hash."""
FRACTIONS: Final = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


def speaks(row: Row) -> bool:
    """Whether an event carries anything but ids, states, whole numbers and times, in a field that is known or not."""
    try:
        event = _type(row["subject"]).FromString(row["payload"])
    except (KeyError, DecodeError):
        return True
    return _speaks(event)


def _speaks(message: Message) -> bool:
    return len(UnknownFieldSet(message)) > 0 or any(_tells(field, value) for field, value in message.ListFields())


def _tells(field: FieldDescriptor, value: Any) -> bool:
    if field.is_repeated:
        return True  # a list is a member's content
    if isinstance(value, Message):
        return _speaks(value)
    if isinstance(value, str):
        return not (ID.fullmatch(value) or value in _words().get(field.name, ()))
    if isinstance(value, bytes):
        return field.name != "device_digest" or len(value) != DIGEST
    return field.cpp_type in FRACTIONS


@cache
def _words() -> dict[str, frozenset[str]]:
    """The only fields in words, and the words."""
    return {"time_zone": frozenset(available_timezones()), "role": frozenset({"admin"})}


@cache
def _type(subject: str) -> type[Message]:
    for context in CONTEXTS:
        import_module(f"unora.{context}.v1.events_pb2")
    kind: type[Message] = Default().GetSymbol(type_of(subject))
    return kind


INVARIANTS: Final = (
    Invariant(
        "events-say-nothing",
        ("PE-03", "PE-05", "XX-01"),
        "no event carries a word, a score or anybody's content: ids, states, whole numbers and times are all",
        " UNION ALL ".join(f"SELECT id AS event_id, subject, payload FROM {context}.outbox" for context in CONTEXTS),
        speaks,
    ),
)
