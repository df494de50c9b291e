"""RE-01, RE-04, RE-10: which reveal may be opened."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from unora_common.errors import DomainError

IDENTITY = 5
"""The number of the reveal that is the identity; no policy: the seed says so."""
FINAL_DAY = 15
"""The day before which no tier and no payment brings it."""


class Status(StrEnum):
    """RE-11: locked, then earned or purchased, then unlocked by opening."""

    LOCKED = "locked"
    EARNED = "earned"
    PURCHASED = "purchased"
    UNLOCKED = "unlocked"


class Look(NamedTuple):
    """Who looks at whom, and by what right."""

    streak_id: UUID
    connection_id: UUID
    viewer: UUID
    subject: UUID


class StreakNotFound(DomainError):
    """XX-04: the same answer for another's streak as for one that does not exist."""

    code = "NOT_FOUND"
    reason = "STREAK_NOT_FOUND"


class RevealLocked(DomainError):
    """It cannot be opened yet. Carries nothing: the day it needs is never told (RE-02)."""

    reason = "REVEAL_LOCKED"


class ConnectionEnded(DomainError):
    """The connection is over, and with it all opening (RE-10). Not by whom, nor why (MA-09)."""

    reason = "CONNECTION_ENDED"


def require_openable(number: int, status: Status, completed_days: int, *, ended: bool) -> None:
    """Raises unless the reveal may be opened. What is locked stays so whether or not the connection is over.

    The identity is refused before Day 15 whatever its row says: the database and identity refuse it too (RE-04).
    """
    if status is Status.LOCKED or (number == IDENTITY and completed_days < FINAL_DAY):
        raise RevealLocked
    if ended:
        raise ConnectionEnded
