"""ST-13: in an at-risk period, the one who checked in nudges the one who has not. Shaped as `machine`'s functions."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from unora_streak.domain.days import utc
from unora_streak.domain.errors import NotAtRisk, NotCheckedIn, NotInStreak, NudgeLimitReached, NudgesLeft, StreakError
from unora_streak.domain.events import Event, NudgeRejected, NudgeSent, head
from unora_streak.domain.machine import settle
from unora_streak.domain.state import Policy, State, Streak


def nudge(
    streak: Streak, sender: UUID, nudge_id: UUID, left: int, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """A nudge of the sender's tier, of which `left` are not used up in this at-risk period."""
    now = utc(now)
    streak, events = settle(streak, now, policy)
    _hold_nudgeable(streak, sender)
    if left <= 0:
        raise NudgeLimitReached
    streak, sent = _send(streak, sender, nudge_id, None, now)
    return streak, [*events, sent]


def hold_buyable(streak: Streak, sender: UUID, left: int, now: datetime, policy: Policy) -> None:
    """Raises why a further nudge cannot be bought now."""
    streak, _ = settle(streak, utc(now), policy)
    _hold_nudgeable(streak, sender)
    if left > 0:
        raise NudgesLeft


def bought_nudge(
    streak: Streak, sender: UUID, nudge_id: UUID, payment_id: UUID, now: datetime, policy: Policy
) -> tuple[Streak, list[Event]]:
    """A nudge that was paid for, sent if somebody is there for it at this moment, else rejected (BI-11)."""
    now = utc(now)
    streak, events = settle(streak, now, policy)
    try:
        _hold_nudgeable(streak, sender)
    except StreakError:
        after = replace(streak, version=streak.version + 1)
        return after, [*events, NudgeRejected(**head(streak, after, now, now), payment_id=payment_id)]
    streak, sent = _send(streak, sender, nudge_id, payment_id, now)
    return streak, [*events, sent]


def nudgeable(streak: Streak, sender: UUID) -> bool:
    """Whether the sender has somebody to nudge."""
    return streak.state is State.AT_RISK and sender in streak.here


def _hold_nudgeable(streak: Streak, sender: UUID) -> None:
    if sender not in streak.pair:
        raise NotInStreak
    if streak.state is not State.AT_RISK:
        raise NotAtRisk(streak.state)
    if sender not in streak.here:
        raise NotCheckedIn


def _send(
    before: Streak, sender: UUID, nudge_id: UUID, payment_id: UUID | None, now: datetime
) -> tuple[Streak, NudgeSent]:
    (receiver,) = before.pair - before.here
    after = replace(before, version=before.version + 1)
    told = head(before, after, now, now)
    return after, NudgeSent(**told, nudge_id=nudge_id, sender_id=sender, receiver_id=receiver, payment_id=payment_id)
