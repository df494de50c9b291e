"""What a consumer was delivered: an event, or a message that is none and must not be delivered again.

A publisher can write any subject below its own, any headers and any bytes. So everything that a consumer relies on is
held against the subject, and the subject against what the consumer reads.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg

from unora_sdk.again import first_subject
from unora_sdk.names import aggregate_of
from unora_sdk.times import read_time

DEAD_LETTER_PREFIX: Final = "dead."
"""How the subjects of dead letters begin; no stream of events has such a subject."""
FIRST_SUBJECT: Final = "unora-subject"
"""The header of a dead letter with the subject that the event had. It counts on dead letters alone."""


class NotAnEventError(Exception):
    """The message is no event that this consumer reads. Trying again does not help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        """What is wrong: subject, id, source, type, aggregate, time or payload."""


class Envelope(NamedTuple):
    """An event as it was delivered, before its payload is read."""

    event_id: str
    subject: str
    aggregate_id: str
    time: str
    payload: bytes


class Reads(Protocol):
    """What a consumer reads."""

    @property
    def stream(self) -> str:
        """The context that emits the events."""

    @property
    def subject(self) -> str:
        """One subject, or `unora.<context>.v1.>` for all events of the context."""

    @property
    def event(self) -> type[Message] | None:
        """The message of the events; None for all events of a context."""


class Delivery(NamedTuple):
    """An event as it was delivered."""

    message: Msg
    id: UUID
    envelope: Envelope
    event: Message | None
    """None for a consumer of all events of a context."""


def read(message: Msg, consumes: Reads, consumer: str) -> Delivery:
    """Reads a message for a durable consumer. Raises NotAnEventError, also for what is published again to another."""
    headers = message.headers or {}
    subject = first_subject(subject_of(message), consumer)
    _require("subject", _is_read(subject, consumes.subject))
    identifier = _uuid("id", headers.get("ce-id", ""))
    _require("source", headers.get("ce-source") == f"/unora/{consumes.stream}")
    _require("type", headers.get("ce-type") == subject)
    aggregate = _uuid("aggregate", headers.get("ce-subject", ""))
    time = headers.get("ce-time", "")
    _require("time", _is_time(time))
    envelope = Envelope(str(identifier), subject, str(aggregate), time, message.data)
    event = _parsed(consumes.event, message.data, aggregate) if consumes.event is not None else None
    return Delivery(message, identifier, envelope, event)


def subject_of(message: Msg) -> str:
    """The subject under which the event was published."""
    if message.subject.startswith(DEAD_LETTER_PREFIX):
        return (message.headers or {}).get(FIRST_SUBJECT, "")
    return message.subject


def _require(what: str, holds: bool) -> None:
    if not holds:
        raise NotAnEventError(what)


def _is_read(subject: str, pattern: str) -> bool:
    """Whether `pattern`, a subject or `unora.<context>.v1.>`, has the subject, which has as many words."""
    if not pattern.endswith(".>"):
        return subject == pattern
    start = pattern.removesuffix(">")
    return subject.startswith(start) and subject.removeprefix(start).isidentifier() and subject.isascii()


def _uuid(what: str, text: str) -> UUID:
    """UUID() reads many spellings; two spellings of one id must not be two events."""
    try:
        found = UUID(text)
    except ValueError:
        raise NotAnEventError(what) from None
    _require(what, str(found) == text)
    return found


def _is_time(text: str) -> bool:
    try:
        read_time(text)
    except ValueError:
        return False
    return True


def _parsed(kind: type[Message], payload: bytes, aggregate: UUID) -> Message:
    """The event. Fields that this version does not know are left alone: the contract may have grown."""
    try:
        event = kind.FromString(payload)
        _require("aggregate", aggregate_of(event)[0] == aggregate)
    except (DecodeError, ValueError):
        raise NotAnEventError("payload") from None
    return event
