"""A streak as one of its two members sees it: what they can do now, and with what (ST-15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_streak.domain.nudges import can_nudge
from unora_streak.domain.state import PLAYING, Policy, State, Streak


class Action(StrEnum):
    """What a member can do with a streak now."""

    CHECK_IN = "check_in"
    NUDGE = "nudge"
    RECOVER = "recover"
    OPEN_REVEAL = "open_reveal"


@dataclass(frozen=True, slots=True)
class Plans:
    """What the member's tier gives, by tier, and what a recovery costs without it."""

    nudges: Mapping[str, int]
    """In an at-risk period (ST-13)."""
    free_recoveries: Mapping[str, int]
    """For a connection (BI-06)."""
    recovery_price: int
    """Minor units."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a member's view needs of a streak besides its row."""

    tier: str
    nudges_used: int
    """Of the tier, by the member, on the day of the row."""
    free_recoveries_used: int
    """By the member, in the life of the connection."""
    reveals_waiting: tuple[int, ...]
    """Numbers of the member's reveals that can be opened, in order."""
    connection_ended: bool


@dataclass(frozen=True, slots=True)
class View:
    """A streak as a member sees it at one moment."""

    streak: Streak
    viewer: UUID
    actions: tuple[Action, ...]
    nudges_left: int
    free_recoveries_left: int
    recovery_price: int | None
    """What a recovery costs the viewer without a free one; None unless they can recover the streak at all."""
    reveals_waiting: tuple[int, ...]


def view(streak: Streak, viewer: UUID, extras: Extras, plans: Plans) -> View:
    """The streak, which is advanced to this moment. After the end of the connection nothing can be done (RE-10)."""
    is_breaker = streak.state is State.PAYMENT_WINDOW and streak.breaker_user_id == viewer
    waiting = () if extras.connection_ended else extras.reveals_waiting
    nudges_left = plans.nudges[extras.tier] - extras.nudges_used if can_nudge(streak, viewer) else 0
    can_do = {
        Action.CHECK_IN: viewer not in streak.checked_in and streak.state in PLAYING | {State.RESET},
        Action.NUDGE: can_nudge(streak, viewer),
        Action.RECOVER: is_breaker and streak.hold is None,
        Action.OPEN_REVEAL: bool(waiting),
    }
    return View(
        streak=streak,
        viewer=viewer,
        actions=tuple(action for action, possible in can_do.items() if possible and not extras.connection_ended),
        nudges_left=max(0, nudges_left),
        free_recoveries_left=max(0, plans.free_recoveries[extras.tier] - extras.free_recoveries_used),
        recovery_price=plans.recovery_price if is_breaker else None,
        reveals_waiting=waiting,
    )


def becomes_at_risk_at(streak: Streak, policy: Policy) -> datetime | None:
    """ST-06: from when on the open day is at risk if one of the two is missing; None if no day is, or nobody."""
    if streak.state not in PLAYING or streak.checked_in == streak.pair:
        return None
    return streak.closes_at - policy.at_risk
