"""Which events are told, to whom, and until when it is of use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.message import Message
from unora.identity.v1.device_service_pb2 import (
    NOTIFICATION_CATEGORY_CONNECTIONS,
    NOTIFICATION_CATEGORY_REVEALS,
    NOTIFICATION_CATEGORY_SECURITY,
    NOTIFICATION_CATEGORY_STREAKS,
    NotificationCategory,
)
from unora.identity.v1.events_pb2 import NewDeviceSignedIn
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.reveal.v1.events_pb2 import RevealEarned
from unora.streak.v1.events_pb2 import DayEndsSoon, NudgeSent, PaymentWindowOpened, StreakAtRisk

DAY: Final = timedelta(days=1)
EVENING: Final = timedelta(hours=6)
"""A nudge is about a day that it does not name: so long it is worth telling."""


@dataclass(frozen=True)
class Kind:
    """One kind of push message."""

    name: str
    event: type[Message]
    category: NotificationCategory.ValueType
    members: tuple[str, ...]
    """The fields of the event with the members who are told."""
    until: Callable[[Any, datetime], datetime]
    """When it is over (UTC), by the event's message and time: nobody is told afterwards."""
    not_on: str = ""
    """The field with the session that is not told."""


def _at(field: str) -> Callable[[Any, datetime], datetime]:
    return lambda message, time: getattr(message, field).ToDatetime(UTC)


def _for(age: timedelta) -> Callable[[Any, datetime], datetime]:
    return lambda message, time: time + age


BOTH: Final = ("user_a_id", "user_b_id")
CONNECTIONS, STREAKS = NOTIFICATION_CATEGORY_CONNECTIONS, NOTIFICATION_CATEGORY_STREAKS
REVEALS, SECURITY = NOTIFICATION_CATEGORY_REVEALS, NOTIFICATION_CATEGORY_SECURITY
KINDS: Final = (
    Kind("match", ConnectionFormed, CONNECTIONS, BOTH, _for(DAY)),
    Kind("day ends soon", DayEndsSoon, STREAKS, BOTH, _at("day_ends_at")),
    Kind("at risk", StreakAtRisk, STREAKS, ("missing_user_id",), _at("day_ends_at")),
    Kind("nudge", NudgeSent, STREAKS, ("receiver_id",), _for(EVENING)),
    Kind("window open", PaymentWindowOpened, STREAKS, ("breaker_user_id",), _at("window_ends_at")),
    Kind("reveal ready", RevealEarned, REVEALS, ("user_id",), _for(DAY)),
    Kind("new device", NewDeviceSignedIn, SECURITY, ("user_id",), _for(DAY), not_on="session_id"),
)
