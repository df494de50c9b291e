"""RE-01, RE-04, RE-10: the reveals of a member, and which of them may be opened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from unora_common.errors import DomainError

from unora_reveal.domain.events import RevealUnlocked
from unora_reveal.domain.facts import FramedText, Identity
from unora_reveal.domain.personality import Dimension, Score

IDENTITY = 5
"""The number of the reveal that is the identity. It is not configurable: the milestones say the same."""
FINAL_DAY = 15
"""No tier and no payment opens the identity before this day (RE-04)."""


class Status(StrEnum):
    """RE-11: locked, then earned or purchased, then unlocked by opening."""

    LOCKED = "locked"
    EARNED = "earned"
    PURCHASED = "purchased"
    UNLOCKED = "unlocked"


class StreakNotFound(DomainError):
    """XX-04: the same answer for another member's streak as for one that does not exist."""

    code = "NOT_FOUND"
    reason = "STREAK_NOT_FOUND"
    sentence = "This streak does not exist."


class RevealLocked(DomainError):
    """The reveal cannot be opened yet. The refusal has no metadata: the day it needs is never shown (RE-02)."""

    reason = "REVEAL_LOCKED"
    sentence = "This reveal is still locked."


class ConnectionEnded(DomainError):
    """The connection has ended, so nothing can be opened or bought (RE-10).

    The refusal does not show who ended it or why (MA-09).
    """

    reason = "CONNECTION_ENDED"
    sentence = "This connection has ended."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """One of the five reveals of a member of a streak."""

    id: UUID
    streak_id: UUID
    connection_id: UUID
    user_id: UUID
    partner_id: UUID
    number: int
    status: Status
    unlocked_at: datetime | None
    version: int
    completed_days: int
    """The most days that the streak has reached."""
    ended: bool
    """Whether the connection has ended."""
    for_sale: bool
    """The member's tier has no day for it, so that it can only be bought (RE-11)."""
    framed: FramedText | None
    """The text that was given at the first opening (RE-09). Reveals 3 and 5 have none."""
    scores: dict[Dimension, Score]
    """The partner's scores, for reveal 3 only."""
    read_at: datetime
    """When it was read, by the rule clock (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealView:
    """A reveal as its member sees it now."""

    reveal: Reveal
    framed: FramedText | None = None
    identity: Identity | None = None
    for_sale: bool = False
    """Whether it is the one that the member can buy now (RE-05)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedIdentity:
    """A reveal 5 that its member has opened, while the connection goes on."""

    streak_id: UUID
    connection_id: UUID
    user_id: UUID
    partner_id: UUID
    photo_ids: tuple[UUID, ...]
    """The photos that it has shown (RE-12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerName:
    """What lists show of a partner (RE-13)."""

    identity: OpenedIdentity
    first_name: str
    thumbnail_url: str
    url_expires_at: datetime | None
    """UTC; None without a link."""


class EventHeader(TypedDict):
    """The fields that every event of a reveal holds."""

    reveal_id: UUID
    version: int
    streak_id: UUID
    user_id: UUID
    reveal_number: int
    occurred_at: datetime


def event_header(reveal: Reveal, now: datetime) -> EventHeader:
    """The common fields of an event of `reveal`, which is the reveal after the change."""
    return EventHeader(
        reveal_id=reveal.id,
        version=reveal.version,
        streak_id=reveal.streak_id,
        user_id=reveal.user_id,
        reveal_number=reveal.number,
        occurred_at=now,
    )


def get_by_number(reveals: Sequence[Reveal], number: int) -> Reveal:
    """One of a member's five. Raises ValueError for another number than 1 to 5, which the contract refuses."""
    (reveal,) = (each for each in reveals if each.number == number)
    return reveal


def require_openable(reveal: Reveal) -> None:
    """Raises RevealLocked or ConnectionEnded unless the reveal may be opened.

    RevealLocked comes first: a locked reveal is refused in the same way before and after the end of the connection.
    The identity is refused before Day 15 whatever its row says; the database and identity refuse it too (RE-04).
    """
    if reveal.status is Status.LOCKED or (reveal.number == IDENTITY and reveal.completed_days < FINAL_DAY):
        raise RevealLocked
    if reveal.ended:
        raise ConnectionEnded


def unlock(reveal: Reveal, framed: FramedText | None, now: datetime) -> tuple[Reveal, RevealUnlocked]:
    """RE-09, RE-11: the reveal after its first opening; `framed` is the text to store, None for reveals 3 and 5."""
    unlocked = replace(reveal, status=Status.UNLOCKED, unlocked_at=now, version=reveal.version + 1, framed=framed)
    return unlocked, RevealUnlocked(**event_header(unlocked, now))
