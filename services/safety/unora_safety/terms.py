"""Under what a row of the audit log is found (SA-01)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final
from uuid import UUID

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message
from unora.billing.v1 import events_pb2 as billing
from unora.discovery.v1 import events_pb2 as discovery
from unora.identity.v1 import events_pb2 as identity
from unora.matching.v1 import events_pb2 as matching
from unora.reveal.v1 import events_pb2 as reveal
from unora.safety.v1 import events_pb2 as safety
from unora.streak.v1 import events_pb2 as streak
from unora_common.outbox import type_of

from unora_safety.domain import Entry

EVENTS: Final = (billing, discovery, identity, matching, reveal, safety, streak)
"""Their types are known once they are imported."""

MEMBERS: Final = frozenset(
    (
        *("user_id", "user_a_id", "user_b_id", "sender_id", "receiver_id", "ended_by_id", "breaker_user_id"),
        *(
            "payer_id",
            "partner_id",
            "blocker_id",
            "blocked_id",
            "reporter_id",
            "reported_id",
            "moderator_id",
            "missing_user_id",
        ),
    )
)
"""Fields of events that name a member; a test holds that every id of every event is here or known to be no member."""

ABOUT: Final = ("user_id", "reported_id", "blocked_id")
"""Fields of safety's own events that say of whom they tell something."""

SILENT: Final = {
    matching.InterestSent.DESCRIPTOR.full_name: ("receiver_id",),
    matching.InterestClosed.DESCRIPTOR.full_name: ("sender_id", "receiver_id"),
    matching.InterestsWiped.DESCRIPTOR.full_name: ("user_id",),
    matching.ConnectionEnded.DESCRIPTOR.full_name: ("user_a_id", "user_b_id"),
    billing.ProtectionClosed.DESCRIPTOR.full_name: ("payer_id",),
}
"""What these name a member for is kept from that member: who wishes them (MA-10), that a wish of theirs is void
(MA-11, SA-08), and whether a connection of theirs was ended, blocked or suspended (MA-09): a protection bears the time
of what was done, which for a block is before the end.
"""


def terms_of(entry: Entry) -> list[str]:
    """What a row is found by. What this version does not know is found by context, event and aggregate."""
    event = _event(entry)
    named = {getattr(event, field) for field in _member_fields(entry.subject)} if event is not None else set()
    members = [f"member {each}" for each in sorted(named - {""})]
    return [context_term(entry.source_context), event_term(entry.subject), f"aggregate {entry.aggregate_id}", *members]


def context_term(source_context: str) -> str:
    """The term of a context."""
    return f"context {source_context}"


def event_term(subject: str) -> str:
    """The term of an event."""
    return f"event {subject}"


def is_kept_from(entry: Entry, member: UUID) -> bool:
    """Whether a row tells what a member may not know: what was done to them, by whom, or thought of them."""
    fields = ABOUT if entry.source_context == "safety" else SILENT.get(type_of(entry.subject), ())
    event = _event(entry) if fields else None
    return any(getattr(event, field, "") == str(member) for field in fields)


def is_known(subject: str) -> bool:
    """Whether this version knows the event."""
    return _kind(subject) is not None


def as_json(entry: Entry) -> str:
    """The event of a row, as the contract maps it to JSON; empty when this version does not know it."""
    event = _event(entry)
    if event is None:
        return ""
    return json.dumps(json_format.MessageToDict(event, preserving_proto_field_name=True), sort_keys=True)


def _event(entry: Entry) -> Message | None:
    kind = _kind(entry.subject)
    try:
        return kind.FromString(entry.payload) if kind else None
    except DecodeError:
        return None


@cache
def _kind(subject: str) -> type[Message] | None:
    try:
        found: Any = descriptor_pool.Default().FindMessageTypeByName(type_of(subject))
    except KeyError:
        return None
    return message_factory.GetMessageClass(found)


@cache
def _member_fields(subject: str) -> list[str]:
    kind = _kind(subject)
    return [field.name for field in kind.DESCRIPTOR.fields if field.name in MEMBERS] if kind else []
