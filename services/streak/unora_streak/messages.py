"""Domain to proto and back."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from unora.streak.v1 import events_pb2, streak_service_pb2
from unora.streak.v1.streak_service_pb2 import EffortSignal, StreakState
from unora_common.database import Row
from unora_common.messages import SERVERS, by_name, to_date, to_timestamp

from unora_streak.domain import PLAYING, Effort, Event, NudgeSent, State, Streak

STATES = by_name(StreakState)
EFFORTS = by_name(EffortSignal)
EFFORT_OF = {number: Effort(name) for name, number in EFFORTS.items()}

RENAMED = {"was": "previous_state", "at": "occurred_at", "zone": "time_zone", "closes_at": "day_ends_at",
           "window_closes_at": "window_ends_at", "effort": "effort_signal"}  # fmt: skip
"""Fields of domain events whose contract has another name."""


def to_event(event: Event, version: int) -> Any:
    """The message of a domain event: both have the same name, and fields of the same meaning."""
    message = getattr(events_pb2, type(event).__name__)(version=version)
    for field in event.__dataclass_fields__:
        value = getattr(event, field)
        if value is not None:
            _set(message, RENAMED.get(field, field), value)
    return message


def _set(message: Any, field: str, value: object) -> None:
    match value:
        case State():
            setattr(message, field, STATES[value])
        case Effort():
            setattr(message, field, EFFORTS[value])
        case UUID():
            setattr(message, field, str(value))
        case datetime.datetime():
            getattr(message, field).FromDatetime(value)
        case datetime.date():
            getattr(message, field).CopyFrom(to_date(value))
        case _:
            setattr(message, field, value)


def to_streak(streak: Streak, server_type: str, viewer: UUID) -> streak_service_pb2.Streak:
    """A streak as one of its two sees it (ST-21)."""
    partner = streak.user_b_id if viewer == streak.user_a_id else streak.user_a_id
    playing = streak.state in PLAYING
    held_until = streak.hold.until if streak.hold and viewer == streak.breaker_user_id else None
    return streak_service_pb2.Streak(
        streak_id=str(streak.id),
        connection_id=str(streak.connection_id),
        server_type=SERVERS[server_type],
        partner_id=str(partner),
        state=STATES[streak.state],
        cycle=streak.cycle,
        completed_days=streak.completed_days,
        current_day=0 if streak.state is State.RESET else streak.current_day,
        breaker_id=str(streak.breaker_user_id) if streak.breaker_user_id else "",
        day_ends_at=to_timestamp(streak.closes_at) if playing else None,
        window_ends_at=to_timestamp(streak.window_closes_at),
        checked_in=playing and viewer in streak.here,
        partner_checked_in=playing and partner in streak.here,
        time_zone=streak.zone,
        recovery_held_until=to_timestamp(held_until),
    )


def to_nudge(row: Row) -> streak_service_pb2.Nudge:
    """A nudge from its row."""
    return streak_service_pb2.Nudge(
        nudge_id=str(row["id"]),
        sender_id=str(row["sender_id"]),
        receiver_id=str(row["receiver_id"]),
        day=row["day"],
        check_in_date=to_date(row["check_in_date"]),
        sent_at=row["sent_at"],
    )


def to_nudge_sent(event: NudgeSent, check_in_date: datetime.date) -> streak_service_pb2.Nudge:
    """A nudge from what has just happened."""
    return streak_service_pb2.Nudge(
        nudge_id=str(event.nudge_id),
        sender_id=str(event.sender_id),
        receiver_id=str(event.receiver_id),
        day=event.day,
        check_in_date=to_date(check_in_date),
        sent_at=to_timestamp(event.at),
    )


def to_check_in(row: Row) -> streak_service_pb2.CheckIn:
    """A check-in from its row."""
    return streak_service_pb2.CheckIn(
        user_id=str(row["user_id"]),
        cycle=row["cycle"],
        day=row["day"],
        check_in_date=to_date(row["check_in_date"]),
        checked_in_at=row["check_in_at"],
        effort_signal=EFFORTS[row["effort_signal"]],
    )
