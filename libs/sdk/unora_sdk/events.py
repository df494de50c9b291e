"""An event as a handler gets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from unora_sdk.again import HEADER
from unora_sdk.deliveries import Delivery
from unora_sdk.names import aggregate_of
from unora_sdk.times import read_time

M = TypeVar("M", bound=Message, covariant=True)

TRACE_PARENT: Final = "traceparent"


@dataclass(frozen=True)
class Event(Generic[M]):
    """An event of Unora. Its message holds ids, states, numbers and times; who needs more asks the context."""

    id: UUID
    """The same however often the event is delivered or published."""
    type: str
    """The subject of its type, such as `unora.streak.v1.checked_in`."""
    subject: UUID
    """The id of its aggregate, such as of a streak: the first field of the message."""
    time: datetime
    """When it took effect (UTC)."""
    version: int
    """Grows by one with each event of the aggregate, over all types of events. A projection applies a version only if
    it is newer than the one that it has: an event that was tried again comes late.
    """
    message: M
    trace_parent: str
    """W3C traceparent of the call or event that caused it; empty without one."""
    published_again: datetime | None
    """When it was published again (UTC), for subscribers that had missed it; None for the first time."""
    attempt: int
    """1 for the first try, 2 after one that failed. What was put off by RetryLater does not count."""


class RetryLater(Exception):
    """A handler raises it when it cannot apply an event yet, such as while a service that it asks is away.

    The event is delivered again after `delay` seconds. It does not count as a failure, however often. Meanwhile it
    stays in the stream without an acknowledgement: when 500 events of one type wait so, no other of this type is
    delivered, and an event that is older than seven days leaves the stream and is lost. So this is for short outages.
    What has to wait for hours, a handler keeps in a table of its own, and returns.
    """

    def __init__(self, reason: str = "", delay: float = 5.0) -> None:
        super().__init__(reason)
        self.delay = delay


def to_event(delivery: Delivery, attempt: int) -> Event[Message]:
    """The event of a delivery of a known type."""
    assert delivery.event is not None
    headers = delivery.message.headers or {}
    subject, version = aggregate_of(delivery.event)
    return Event(
        id=delivery.id,
        type=delivery.envelope.subject,
        subject=subject,
        time=time_of(delivery),
        version=version,
        message=delivery.event,
        trace_parent=headers.get(TRACE_PARENT, ""),
        published_again=_moment(headers.get(HEADER, "")),
        attempt=attempt,
    )


def time_of(delivery: Delivery) -> datetime:
    """When the event took effect (UTC)."""
    return read_time(delivery.envelope.time)


def _moment(text: str) -> datetime | None:
    """A time of a header that no event needs; None for one that cannot be read."""
    try:
        return read_time(text)
    except ValueError:
        return None
