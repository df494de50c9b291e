"""Domain to proto and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora.streak.v1 import events_pb2, streak_service_pb2
from unora.streak.v1.events_pb2 import PaymentWindowOpened, StreakAtRisk, StreakReset
from unora.streak.v1.projection_service_pb2 import CompletedStreak, MemberCompletion, StreakProgress
from unora.streak.v1.streak_service_pb2 import CycleEnd, EffortSignal, RecoveryOffer, StreakAction, StreakState
from unora_common.database import Row
from unora_common.message_sql import number_fields, uuid_fields
from unora_common.messages import (
    SERVER_NAMES,
    SERVERS,
    by_name,
    date_fields,
    event_encoder,
    timestamp_fields,
    to_date,
    to_timestamp,
)
from unora_common.plans import CURRENCY
from unora_sdk.names import subject_of

from unora_streak.domain.check_ins import CheckIn
from unora_streak.domain.events import Event
from unora_streak.domain.history import FinishedCycle
from unora_streak.domain.nudges import Nudge
from unora_streak.domain.state import PLAYING, Connection, Effort, Policy, State, Streak
from unora_streak.domain.views import View, becomes_at_risk_at

STATES = by_name(StreakState)
EFFORTS = by_name(EffortSignal)
ACTIONS = by_name(StreakAction)
CYCLE_ENDS = by_name(CycleEnd)
EFFORT_BY_NUMBER = {number: Effort(name) for name, number in EFFORTS.items()}

to_message = event_encoder(events_pb2)
"""The message of a domain event."""

_IDS: Final = {"streak_id": "id", "connection_id": "connection_id", "user_a_id": "user_a_id", "user_b_id": "user_b_id"}
_NUMBERS: Final = {"version": "version", "cycle": "cycle", "day": "current_day", "completed_days": "completed_days"}
_OF_ONE_KIND: Final = {
    StreakAtRisk: uuid_fields(StreakAtRisk, {"missing_user_id": "missing"}),
    PaymentWindowOpened: uuid_fields(PaymentWindowOpened, {"breaker_user_id": "missing"}),
    StreakReset: number_fields(StreakReset, {"lost_days": "lost_days"}),
}
_OWN: Final = (*_IDS, *_NUMBERS, "missing_user_id", "breaker_user_id", "lost_days")

PAYLOAD: Final = (  # all events have the fields of Event, under the same numbers
    f"{uuid_fields(StreakReset, _IDS)} || {number_fields(StreakReset, _NUMBERS)} || CASE subject "
    + " ".join(f"WHEN '{subject_of(kind)}' THEN {sql}" for kind, sql in _OF_ONE_KIND.items())
    + " ELSE '' END || same"
)
"""SQL of the bytes of a step's event, from columns of the streak after it, and `same`, the bytes that `encode_same` and
`encode_recorded_at` made.
"""


def encode_same(event: Event) -> tuple[str, bytes]:
    """The subject of a step's event, and the bytes of those fields that are the same for all streaks of a kind, without
    the time at which it is recorded (`encode_recorded_at`).
    """
    message = to_message(event)
    for name in (*_OWN, "recorded_at"):
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)
    return subject_of(message), message.SerializeToString()


def encode_recorded_at(now: datetime) -> bytes:
    """The bytes of the field `recorded_at`, which has the same number in all events."""
    return StreakReset(recorded_at=to_timestamp(now)).SerializeToString()


def from_connection(event: ConnectionFormed | ConnectionEnded) -> Connection:
    """A connection, from matching."""
    pair = (UUID(event.user_a_id), UUID(event.user_b_id))
    return Connection(UUID(event.connection_id), pair, SERVER_NAMES[event.server_type])


def to_streak(streak: Streak, viewer: UUID, policy: Policy) -> streak_service_pb2.Streak:
    """A streak as one of its two members sees it (ST-21), without what `to_shown_streak` adds."""
    return streak_service_pb2.Streak(**_fields(streak, viewer, policy))


def to_shown_streak(shown: View, policy: Policy) -> streak_service_pb2.Streak:
    """A streak as one of its two members sees it, with what they can do now (ST-15)."""
    return streak_service_pb2.Streak(**_shown_fields(shown, policy))


def to_dashboard(shown: Iterable[View], now: datetime, policy: Policy) -> streak_service_pb2.GetDashboardResponse:
    """The dashboard of a member, as it was at `now` (UTC). Streaks are made where they belong, so none is copied."""
    response = streak_service_pb2.GetDashboardResponse(server_time=to_timestamp(now))
    add = response.streaks.add
    for each in shown:
        add(**_shown_fields(each, policy))
    return response


def _fields(streak: Streak, viewer: UUID, policy: Policy) -> dict[str, Any]:
    """Of the contract's Streak, without those that `_shown_fields` adds. Each field that is given takes its time, and
    most are empty, so these are left out.
    """
    partner = streak.user_b_id if viewer == streak.user_a_id else streak.user_a_id
    found: dict[str, Any] = {
        "streak_id": str(streak.id),
        "connection_id": str(streak.connection_id),
        "server_type": SERVERS[streak.server_type],
        "partner_id": str(partner),
        "state": STATES[streak.state],
        "cycle": streak.cycle,
        "completed_days": streak.completed_days,
        "time_zone": streak.zone,
    }
    if streak.state is not State.RESET:
        found["current_day"] = streak.current_day
    if streak.state in PLAYING:
        found["day_ends_at"] = timestamp_fields(streak.closes_at)
        found["check_in_date"] = date_fields(streak.check_in_date)
        if streak.checked_in:
            found["checked_in"] = viewer in streak.checked_in
            found["partner_checked_in"] = partner in streak.checked_in
        at_risk_at = becomes_at_risk_at(streak, policy)
        if at_risk_at:
            found["becomes_at_risk_at"] = timestamp_fields(at_risk_at)
    elif streak.state is State.PAYMENT_WINDOW:
        found |= _window_fields(streak, viewer)
    return found


def _window_fields(streak: Streak, viewer: UUID) -> dict[str, Any]:
    """What a streak in the payment window shows besides (ST-08). Only the breaker sees the hold (ST-20)."""
    assert streak.window_closes_at is not None
    found: dict[str, Any] = {
        "breaker_id": str(streak.breaker_user_id),
        "window_ends_at": timestamp_fields(streak.window_closes_at),
        "check_in_date": date_fields(streak.check_in_date),
    }
    if streak.hold and viewer == streak.breaker_user_id:
        found["recovery_held_until"] = timestamp_fields(streak.hold.until)
    return found


def _shown_fields(shown: View, policy: Policy) -> dict[str, Any]:
    """Of the contract's Streak."""
    found = _fields(shown.streak, shown.viewer, policy)
    if shown.actions:
        found["actions"] = [ACTIONS[action] for action in shown.actions]
    if shown.reveals_waiting:
        found["reveals_waiting"] = shown.reveals_waiting
    if shown.nudges_left:
        found["nudges_left"] = shown.nudges_left
    if shown.free_recoveries_left:
        found["free_recoveries_left"] = shown.free_recoveries_left
    if shown.recovery_price is not None:
        free = shown.free_recoveries_left > 0
        found["recovery"] = RecoveryOffer(free=free, amount=shown.recovery_price, currency=CURRENCY)
    return found


def to_nudge(nudge: Nudge) -> streak_service_pb2.Nudge:
    """A nudge."""
    return streak_service_pb2.Nudge(
        nudge_id=str(nudge.id),
        sender_id=str(nudge.sender_id),
        receiver_id=str(nudge.receiver_id),
        day=nudge.day,
        check_in_date=to_date(nudge.check_in_date),
        sent_at=to_timestamp(nudge.sent_at),
    )


def to_check_in(check_in: CheckIn) -> streak_service_pb2.CheckIn:
    """A check-in."""
    return streak_service_pb2.CheckIn(
        user_id=str(check_in.user_id),
        cycle=check_in.cycle,
        day=check_in.day,
        check_in_date=to_date(check_in.check_in_date),
        checked_in_at=to_timestamp(check_in.check_in_at),
        effort_signal=EFFORTS[check_in.effort_signal],
    )


def to_finished_cycle(cycle: FinishedCycle) -> streak_service_pb2.FinishedCycle:
    """A finished cycle as one of its two members sees it (ST-22)."""
    return streak_service_pb2.FinishedCycle(
        streak_id=str(cycle.streak_id),
        server_type=SERVERS[cycle.server_type],
        cycle=cycle.cycle,
        end=CYCLE_ENDS[cycle.end],
        completed_days=cycle.completed_days,
        days=[
            streak_service_pb2.HistoryDay(
                check_in_date=to_date(day.check_in_date),
                day=day.day,
                checked_in_at=to_timestamp(day.checked_in_at),
                effort_signal=EFFORTS[day.effort_signal]
                if day.effort_signal
                else EffortSignal.EFFORT_SIGNAL_UNSPECIFIED,
                partner_checked_in=day.partner_checked_in,
            )
            for day in cycle.days
        ],
    )


def to_streak_progress(row: Row) -> StreakProgress:
    """How far a streak has come, for a projection."""
    return StreakProgress(
        streak_id=str(row["id"]),
        connection_id=str(row["connection_id"]),
        user_a_id=str(row["user_a_id"]),
        user_b_id=str(row["user_b_id"]),
        most_completed_days=row["most_completed_days"],
    )


def to_completed_streak(row: Row) -> CompletedStreak:
    """A completed streak, for a projection."""
    return CompletedStreak(
        streak_id=str(row["id"]),
        connection_id=str(row["connection_id"]),
        user_a_id=str(row["user_a_id"]),
        user_b_id=str(row["user_b_id"]),
        completed_at=to_timestamp(row["ended_at"]),
    )


def to_member_completion(row: Row) -> MemberCompletion:
    """A member who has completed a streak, for a projection."""
    return MemberCompletion(user_id=str(row["user_id"]), completed_at=to_timestamp(row["completed_at"]))
