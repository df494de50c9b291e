"""Reports and appeals, pure: what members say to the moderators (SA-06, SA-07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_common.errors import DomainError

DAY: Final = timedelta(days=1)
NOTE_MOST: Final = 1000
"""The most graphemes of a note (PR-12)."""
APPEAL_MOST: Final = 4000
"""The most graphemes of an appeal (PR-12)."""


class ReportCategory(StrEnum):
    """What a report is about (SA-07)."""

    HARASSMENT = "harassment"
    SEXUAL_CONTENT = "sexual_content"
    IMPERSONATION = "impersonation"
    SCAM = "scam"
    UNDER_AGE = "under_age"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """A report about one member, as moderators see it."""

    id: UUID
    reporter_id: UUID
    category: ReportCategory
    note: str
    case_id: UUID
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal of a member."""

    id: UUID
    user_id: UUID
    case_id: UUID
    text: str
    submitted_at: datetime


def require_daily_limit(last_day: Sequence[datetime], limit: int, refusal: type[DomainError]) -> None:
    """Raises `refusal` if the member has used up the `limit` of one day.

    `last_day` has the times (UTC) within the last 24 hours, oldest first. The metadata `available_at` say when the next
    is accepted.
    """
    if len(last_day) >= limit:
        raise refusal(available_at=(last_day[-limit] + DAY).isoformat())
