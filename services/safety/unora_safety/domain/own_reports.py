"""Reports and appeals as the members who made them see them (SA-10), pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unora_safety.domain.blocks import Target
from unora_safety.domain.reports import ReportCategory
from unora_safety.domain.restrictions import Decision


class ReportState(StrEnum):
    """What the member who made a report sees of it (SA-10)."""

    RECEIVED = "received"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReport:
    """A report, as the member who made it sees it: nothing of its case, so that its state tells nothing (SA-10)."""

    id: UUID
    target: Target
    category: ReportCategory
    note: str
    reported_at: datetime

    def state(self, now: datetime, closed_after: timedelta) -> ReportState:
        """The state becomes CLOSED a fixed time after the report was made. It does not depend on the decision or its
        time.
        """
        return ReportState.RECEIVED if now < self.reported_at + closed_after else ReportState.CLOSED

    def shown_note(self, now: datetime, closed_after: timedelta) -> str:
        """The author's own words, until the report is closed: from then on moderators alone have them, as long as the
        reported member is there, so that nobody learns from their own report that somebody was erased (ID-09).
        """
        return self.note if self.state(now, closed_after) is ReportState.RECEIVED else ""


class AppealDecision(StrEnum):
    """What the member who made an appeal is told. Measures other than a suspension are silent (SA-03)."""

    NOT_SUSPENDED = "not_suspended"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAppeal:
    """An appeal, as the member who made it sees it (SA-10)."""

    id: UUID
    text: str
    submitted_at: datetime
    decided_as: Decision | None
    """What moderators decided in its case; never shown as it is."""
    decided_at: datetime | None

    @property
    def decision(self) -> AppealDecision | None:
        """None while moderators have it. Two decisions that differ in a silent measure only look alike."""
        if self.decided_as is None:
            return None
        suspended = self.decided_as is Decision.SUSPEND
        return AppealDecision.SUSPENDED if suspended else AppealDecision.NOT_SUSPENDED
