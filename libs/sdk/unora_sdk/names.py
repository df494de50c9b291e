"""The names of an event and of what it goes through: its subject, its stream, the durable consumer that reads it, and
the inbox of who asks. They never change.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import Message

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def subject_of(event: type[Message] | Message) -> str:
    """The subject of an event type: `unora.streak.v1.CheckedIn` has the subject `unora.streak.v1.checked_in`."""
    package, _, name = event.DESCRIPTOR.full_name.rpartition(".")
    return f"{package}.{_WORD.sub('_', name).lower()}"


def type_of(subject: str) -> str:
    """The full name of the message on a subject; the inverse of `subject_of`."""
    package, _, name = subject.rpartition(".")
    return f"{package}.{''.join(word.capitalize() for word in name.split('_'))}"


def context_of(subject: str) -> str:
    """The context that emits the events of a subject: `streak` for `unora.streak.v1.checked_in`."""
    return subject.split(".")[1]


def stream(context: str) -> str:
    """The stream that holds the events of a context."""
    return f"unora_{context}"


def durable(name: str, subject: str) -> str:
    """The name of the durable consumer by which a context or a subscriber reads a subject: `push__checked_in`, or for
    all events of a context `safety__all_streak`.
    """
    event = subject.rpartition(".")[2]
    return f"{name}__{f'all_{context_of(subject)}' if event == '>' else event}"


def inbox(name: str) -> str:
    """The start of the subjects on which a user gets answers: no others are open to it."""
    return f"_INBOX.{name}"


def aggregate_of(event: Message) -> tuple[UUID, int]:
    """Aggregate id and version: by convention the first two fields of every event."""
    identifier = UUID(getattr(event, event.DESCRIPTOR.fields[0].name))
    return identifier, int(getattr(event, "version"))  # noqa: B009 - the convention is not in the type


def occurred_at(event: Message) -> datetime:
    """When the event took effect (UTC)."""
    moment: datetime = getattr(event, "occurred_at").ToDatetime(UTC)  # noqa: B009
    return moment
