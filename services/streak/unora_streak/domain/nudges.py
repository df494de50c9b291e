"""ST-13: in an at-risk period, the member who checked in can nudge the member who has not.

The functions have the form of those in `machine`: they return the streak after the change, and the events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from unora_streak.domain.days import utc
from unora_streak.domain.due import next_version
from unora_streak.domain.errors import NotAtRisk, NotCheckedIn, NotInStreak, NudgeLimitReached, NudgesLeft, StreakError
from unora_streak.domain.events import Event, NudgeRejected, NudgeSent, event_header
from unora_streak.domain.machine import advance
from unora_streak.domain.state import Policy, State, Streak


@dataclass(frozen=True, slots=True)
class Nudge:
    """A nudge that was sent, with the day of its at-risk period. `sent_at` is UTC."""

    id: UUID
    sender_id: UUID
    receiver_id: UUID
    day: int
    check_in_date: date
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class NudgeQuota:
    """What a member has sent in the at-risk period that a streak is in, and the tier that limits it."""

    used: int
    """Nudges of the tier."""
    sent: int
    """All nudges, including bought ones."""
    tier: str

    def left(self, limits: Mapping[str, int]) -> int:
        """The nudges of the tier that are left; `limits` are by tier. It is negative after a tier fell."""
        return limits[self.tier] - self.used


def nudge(
    streak: Streak, sender: UUID, nudge_id: UUID, left: int, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """Sends a nudge of the sender's tier, of which `left` are left in this at-risk period.

    Raises NotInStreak, NotAtRisk, NotCheckedIn or NudgeLimitReached.
    """
    now = utc(now)
    streak, events = advance(streak, now, policy)
    _require_nudgeable(streak, sender)
    if left <= 0:
        raise NudgeLimitReached
    streak, sent = _send(streak, sender, nudge_id, None, now, policy)
    return streak, [*events, sent]


def require_nudge_for_sale(streak: Streak, sender: UUID, left: int, now: datetime, policy: Policy) -> None:
    """Raises the reason for which the sender cannot buy a nudge now; `left` are the nudges of the tier."""
    streak, _ = advance(streak, utc(now), policy)
    _require_nudgeable(streak, sender)
    if left > 0:
        raise NudgesLeft


def nudge_or_reject(
    streak: Streak, sender: UUID, nudge_id: UUID, payment_id: UUID, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """Sends a nudge that was paid for, or rejects it if the sender cannot nudge at this moment (BI-11)."""
    now = utc(now)
    streak, events = advance(streak, now, policy)
    try:
        _require_nudgeable(streak, sender)
    except StreakError:
        after = next_version(streak, policy)
        return after, [*events, NudgeRejected(**event_header(streak, after, now, now), payment_id=payment_id)]
    streak, sent = _send(streak, sender, nudge_id, payment_id, now, policy)
    return streak, [*events, sent]


def can_nudge(streak: Streak, sender: UUID) -> bool:
    """Whether the streak is at risk and the sender is the one who checked in."""
    return streak.state is State.AT_RISK and sender in streak.checked_in


def _require_nudgeable(streak: Streak, sender: UUID) -> None:
    if sender not in streak.pair:
        raise NotInStreak
    if streak.state is not State.AT_RISK:
        raise NotAtRisk(streak.state)
    if sender not in streak.checked_in:
        raise NotCheckedIn


def _send(
    before: Streak, sender: UUID, nudge_id: UUID, payment_id: UUID | None, now: datetime, policy: Policy
) -> tuple[Streak, NudgeSent]:
    (receiver,) = before.pair - before.checked_in
    after = next_version(before, policy)
    header = event_header(before, after, now, now)
    return after, NudgeSent(**header, nudge_id=nudge_id, sender_id=sender, receiver_id=receiver, payment_id=payment_id)
