"""The terms by which the index of the audit log finds a row (SA-01)."""

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
from unora_sdk.names import type_of

from unora_safety.domain.chain import Entry

EVENTS: Final = (billing, discovery, identity, matching, reveal, safety, streak)
"""Importing them makes their message types known."""

LONGEST_NAME: Final = 128
"""Letters of the last word of a subject: a search may ask for a name of 64, which is longer in a subject."""

MEMBER_FIELDS: Final = frozenset(
    {
        *("user_id", "user_a_id", "user_b_id", "sender_id", "receiver_id", "ended_by_id", "breaker_user_id"),
        *("payer_id", "partner_id", "blocker_id", "blocked_id", "reporter_id", "reported_id", "moderator_id"),
        *("missing_user_id", "new_user_id"),
    }
)
"""Fields of events that name a member. A test checks that every id of every event is listed here or known to name no
member.
"""

SUBJECT_FIELDS: Final = ("user_id", "reported_id", "blocked_id")
"""Fields of safety's own events that name the member that the event is about."""

HIDDEN_FROM: Final = {
    matching.InterestSent.DESCRIPTOR.full_name: ("receiver_id",),
    matching.InterestClosed.DESCRIPTOR.full_name: ("sender_id", "receiver_id"),
    matching.InterestsWiped.DESCRIPTOR.full_name: ("user_id",),
    matching.ConnectionEnded.DESCRIPTOR.full_name: ("user_a_id", "user_b_id"),
    billing.ProtectionClosed.DESCRIPTOR.full_name: ("payer_id",),
}
"""Fields of other events that name a member who must not see the event: it would show an interest in them (MA-10),
that an interest of theirs is void (MA-11, SA-08), or whether their connection ended by a member, a block or a
suspension (MA-09). A protection has the time of the act, which for a block is before the end of the connection.
"""


def terms_of(entry: Entry) -> list[str]:
    """The terms of a row. An event that this version does not know has no members among them. What nobody can search
    for is no term: the database might refuse it, and then no row after it would be indexed.
    """
    event = _event(entry)
    ids = {getattr(event, field) for field in _member_fields(entry.subject)} if event is not None else set()
    members = [f"member {each}" for each in sorted(ids) if _is_id(each)]
    events = [event_term(entry.subject)] if len(entry.subject.rpartition(".")[2]) <= LONGEST_NAME else []
    return [context_term(entry.source_context), *events, f"aggregate {entry.aggregate_id}", *members]


def context_term(source_context: str) -> str:
    """The term of a context."""
    return f"context {source_context}"


def event_term(subject: str) -> str:
    """The term of an event."""
    return f"event {subject}"


def is_hidden_from(entry: Entry, member: UUID) -> bool:
    """Whether a row must not be shown to this member, though it names them (SA-02, MA-10)."""
    own = entry.source_context == "safety"
    fields = SUBJECT_FIELDS if own else HIDDEN_FROM.get(type_of(entry.subject), ())
    event = _event(entry) if fields else None
    return any(getattr(event, field, "") == str(member) for field in fields)


def is_known(subject: str) -> bool:
    """Whether this version knows the event."""
    return _kind(subject) is not None


def as_json(entry: Entry) -> str:
    """The event of a row as JSON; empty if this version does not know the event."""
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


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


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
    return [field.name for field in kind.DESCRIPTOR.fields if field.name in MEMBER_FIELDS] if kind else []
