"""Domain to proto and back."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora.streak.v1 import events_pb2, streak_service_pb2
from unora.streak.v1.events_pb2 import PaymentWindowOpened, StreakAtRisk, StreakReset
from unora.streak.v1.projection_service_pb2 import CompletedStreak, MemberCompletion, StreakProgress
from unora.streak.v1.streak_service_pb2 import CycleEnd, EffortSignal, RecoveryOffer, StreakAction, StreakState
from unora_common.database import Row
from unora_common.message_sql import number_fields, uuid_fields
from unora_common.messages import SERVER_NAMES, SERVERS, by_name, event_encoder, to_date, to_timestamp
from unora_common.outbox import subject_of
from unora_common.plans import CURRENCY

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
    partner = streak.user_b_id if viewer == streak.user_a_id else streak.user_a_id
    playing = streak.state in PLAYING
    held_until = streak.hold.until if streak.hold and viewer == streak.breaker_user_id else None
    return streak_service_pb2.Streak(
        streak_id=str(streak.id),
        connection_id=str(streak.connection_id),
        server_type=SERVERS[streak.server_type],
        partner_id=str(partner),
        state=STATES[streak.state],
        cycle=streak.cycle,
        completed_days=streak.completed_days,
        current_day=0 if streak.state is State.RESET else streak.current_day,
        breaker_id=str(streak.breaker_user_id) if streak.breaker_user_id else "",
        day_ends_at=to_timestamp(streak.closes_at) if playing else None,
        window_ends_at=to_timestamp(streak.window_closes_at),
        checked_in=playing and viewer in streak.checked_in,
        partner_checked_in=playing and partner in streak.checked_in,
        time_zone=streak.zone,
        recovery_held_until=to_timestamp(held_until),
        check_in_date=to_date(streak.check_in_date) if playing or streak.break_key else None,
        becomes_at_risk_at=to_timestamp(becomes_at_risk_at(streak, policy)),
    )


def to_shown_streak(shown: View, policy: Policy) -> streak_service_pb2.Streak:
    """A streak as one of its two members sees it, with what they can do now (ST-15)."""
    message = to_streak(shown.streak, shown.viewer, policy)
    if shown.actions:  # each field that is set takes its time, and most are empty
        message.actions.extend([ACTIONS[action] for action in shown.actions])
    if shown.reveals_waiting:
        message.reveals_waiting.extend(shown.reveals_waiting)
    if shown.nudges_left:
        message.nudges_left = shown.nudges_left
    if shown.free_recoveries_left:
        message.free_recoveries_left = shown.free_recoveries_left
    if shown.recovery_price is not None:
        offer = RecoveryOffer(free=shown.free_recoveries_left > 0, amount=shown.recovery_price, currency=CURRENCY)
        message.recovery.CopyFrom(offer)
    return message


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
