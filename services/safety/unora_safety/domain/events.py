"""What safety tells of members, pure. The contract's events have the same names, and fields of the same meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Pattern(StrEnum):
    """What a flag saw (SA-04)."""

    INTEREST_FLOOD = "interest_flood"
    BAD_FAITH_ENDINGS = "bad_faith_endings"
    MANY_BLOCKS = "many_blocks"
    MANY_REPORTS = "many_reports"
    SHARED_DEVICE = "shared_device"
    PAYMENT_ABUSE = "payment_abuse"
    OUTLIER = "outlier"


class Decision(StrEnum):
    """What a moderator decided (SA-05)."""

    DISMISS = "dismiss"
    REDUCE_VISIBILITY = "reduce_visibility"
    RESTRICT = "restrict"
    SUSPEND = "suspend"


class Category(StrEnum):
    """What a report is about (SA-07)."""

    HARASSMENT = "harassment"
    SEXUAL_CONTENT = "sexual_content"
    IMPERSONATION = "impersonation"
    SCAM = "scam"
    UNDER_AGE = "under_age"
    OTHER = "other"


@dataclass(frozen=True)
class MemberBlocked:
    """The first block of a direction began."""

    block_id: UUID
    version: int
    blocker_id: UUID
    blocked_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class MemberUnblocked:
    """The last block of a direction was lifted."""

    block_id: UUID
    version: int
    blocker_id: UUID
    blocked_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class MemberReported:
    """A report came."""

    report_id: UUID
    version: int
    reporter_id: UUID
    reported_id: UUID
    category: Category
    occurred_at: datetime


@dataclass(frozen=True)
class FlagRaised:
    """A pattern was seen."""

    flag_id: UUID
    version: int
    user_id: UUID
    pattern: Pattern
    occurred_at: datetime


@dataclass(frozen=True)
class CaseOpened:
    """A case came into the queue."""

    case_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class CaseAssigned:
    """A moderator took a case."""

    case_id: UUID
    version: int
    user_id: UUID
    moderator_id: UUID
    occurred_at: datetime


@dataclass(frozen=True)
class CaseDecided:
    """A moderator decided a case."""

    case_id: UUID
    version: int
    user_id: UUID
    moderator_id: UUID
    decision: Decision
    occurred_at: datetime


@dataclass(frozen=True)
class RestrictionChanged:
    """A member's standing changed; it is the whole of it."""

    user_id: UUID
    version: int
    reduced_visibility: bool
    restricted: bool
    suspended: bool
    occurred_at: datetime


@dataclass(frozen=True)
class AppealSubmitted:
    """A member appealed."""

    appeal_id: UUID
    version: int
    user_id: UUID
    case_id: UUID
    occurred_at: datetime


Told = (
    MemberBlocked
    | MemberUnblocked
    | MemberReported
    | FlagRaised
    | CaseOpened
    | CaseAssigned
    | CaseDecided
    | RestrictionChanged
    | AppealSubmitted
)
