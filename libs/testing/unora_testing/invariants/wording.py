"""The content of events, checked by their descriptors: ids, states, whole numbers and times only."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.symbol_database import Default
from google.protobuf.unknown_fields import UnknownFieldSet
from joserfc import jws
from joserfc.errors import JoseError
from unora_common.config import CONTEXTS
from unora_safety.domain.head_exports import from_document, to_document
from unora_sdk.names import type_of

from unora_testing.invariants.invariant import Invariant, Row

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|")
DIGEST: Final = 32
"""Bytes of a keyed hash."""
DIGESTS: Final = ("device_digest", "phone_digest")
FRACTIONS: Final = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


def carries_content(row: Row) -> bool:
    """Whether an event carries anything but ids, states, whole numbers and times, in a known or an unknown field."""
    try:
        event = _type(row["subject"]).FromString(row["payload"])
    except (KeyError, DecodeError):
        return True
    return _carries_content(event)


def _carries_content(message: Message) -> bool:
    return len(UnknownFieldSet(message)) > 0 or any(_has_content(field, value) for field, value in message.ListFields())


def _has_content(field: FieldDescriptor, value: Any) -> bool:
    if field.is_repeated:
        return True  # a list is a member's content
    if isinstance(value, Message):
        return _carries_content(value)
    if isinstance(value, str):
        if field.name == "document":
            return not _is_head_export(value)
        return not (ID.fullmatch(value) or value in _words().get(field.name, ()))
    if isinstance(value, bytes):
        return field.name not in DIGESTS or len(value) != DIGEST
    return field.cpp_type in FRACTIONS


def _is_head_export(document: str) -> bool:
    """Whether it is an export of audit heads and nothing else (SA-11): numbers and hashes, signed."""
    try:
        exported = msgspec.json.decode(jws.extract_compact(document.encode()).payload)
        return bool(to_document(from_document(exported)) == exported)
    except (JoseError, ValueError, msgspec.DecodeError):
        return False


@cache
def _words() -> dict[str, frozenset[str]]:
    """The text fields that are states, and their possible values."""
    return {"time_zone": frozenset(available_timezones()), "role": frozenset({"admin"})}


@cache
def _type(subject: str) -> type[Message]:
    for context in CONTEXTS:
        import_module(f"unora.{context}.v1.events_pb2")
    kind: type[Message] = Default().GetSymbol(type_of(subject))
    return kind


INVARIANTS: Final = (
    Invariant(
        "events-hold-no-content",
        ("PE-03", "PE-05", "XX-01"),
        "events carry only ids, states, whole numbers and times: no text, no score, no member's content",
        " UNION ALL ".join(f"SELECT id AS event_id, subject, payload FROM {context}.outbox" for context in CONTEXTS),
        carries_content,
    ),
)
