"""What the erasure of a member does with a table (ID-09), declared beside what the service may do with it.

    info=service_may("select, insert, update", erased=deleted("user_id = member"))

In a condition, `member` is the member who is erased. Each condition must find its rows by an index, and no longer hold
for a row that it was applied to.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class How(StrEnum):
    """What happens to the member's rows."""

    DELETED = "deleted"
    BLANKED = "blanked"
    KEPT = "kept"
    OF_NOBODY = "of_nobody"


class Erased(NamedTuple):
    """One table's declaration."""

    how: How
    where: str = ""
    """The condition of the rows; for those that are deleted or blanked."""
    change: str = ""
    """What a blanked row becomes, as in SET."""
    reason: str = ""
    """Why a row may stay, or what of it; for those that are blanked or kept."""


def deleted(where: str) -> Erased:
    """The rows are deleted."""
    return Erased(How.DELETED, where)


def blanked(change: str, *, where: str, reason: str) -> Erased:
    """The rows stay without what is personal. `where` leaves out rows that are blank."""
    return Erased(How.BLANKED, where, change, reason)


def kept(reason: str) -> Erased:
    """The rows stay: they hold a user id, which maps to nobody after the erasure, and nothing personal."""
    return Erased(How.KEPT, reason=reason)


def of_nobody() -> Erased:
    """No row is about a member."""
    return Erased(How.OF_NOBODY)
