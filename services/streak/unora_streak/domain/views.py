"""A streak as one of its two members sees it: what they can do now, and with what (ST-15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
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


class Used(NamedTuple):
    """What a member has used of what their tier gives for a streak."""

    tier: str
    nudges: int
    """Of the tier, on the day of the row."""
    free_recoveries: int
    """In the life of the connection."""


class Extras(NamedTuple):
    """What a member's view needs of a streak besides its row."""

    used: Used | None
    """None where it was not asked for."""
    reveals_waiting: tuple[int, ...]
    """Numbers of the member's reveals that can be opened, in order."""
    connection_ended: bool


class View(NamedTuple):
    """A streak as a member sees it at one moment. One is made of each streak of a dashboard, so it is a tuple: that is
    made faster than a frozen dataclass.
    """

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
    used, waiting = extras.used, extras.reveals_waiting
    if extras.connection_ended:
        return View(
            streak=streak,
            viewer=viewer,
            actions=(),
            nudges_left=0,
            free_recoveries_left=0,
            recovery_price=None,
            reveals_waiting=(),
        )
    is_breaker = streak.state is State.PAYMENT_WINDOW and streak.breaker_user_id == viewer
    actions, nudges_left = [], 0
    if streak.state is State.RESET or (streak.state in PLAYING and viewer not in streak.checked_in):
        actions.append(Action.CHECK_IN)
    if can_nudge(streak, viewer):
        actions.append(Action.NUDGE)
        nudges_left = max(0, plans.nudges[used.tier] - used.nudges) if used else 0
    if is_breaker and streak.hold is None:
        actions.append(Action.RECOVER)
    if waiting:
        actions.append(Action.OPEN_REVEAL)
    return View(
        streak=streak,
        viewer=viewer,
        actions=tuple(actions),
        nudges_left=nudges_left,
        free_recoveries_left=max(0, plans.free_recoveries[used.tier] - used.free_recoveries) if used else 0,
        recovery_price=plans.recovery_price if is_breaker else None,
        reveals_waiting=waiting,
    )


def becomes_at_risk_at(streak: Streak, policy: Policy) -> datetime | None:
    """ST-06: when the open day becomes at risk if one of the two does not check in. None if no day is open, or if both
    have checked in.
    """
    if streak.state not in PLAYING or len(streak.checked_in) == 2:
        return None
    return streak.closes_at - policy.at_risk
