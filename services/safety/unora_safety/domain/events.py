"""The events of safety, as the contract has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_safety.domain.patterns import Pattern
from unora_safety.domain.reports import ReportCategory
from unora_safety.domain.restrictions import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBlocked(DomainEvent):
    """The first block of a direction began."""

    block_id: UUID
    version: int
    blocker_id: UUID
    blocked_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUnblocked(DomainEvent):
    """The last block of a direction was lifted."""

    block_id: UUID
    version: int
    blocker_id: UUID
    blocked_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReported(DomainEvent):
    """A member was reported."""

    report_id: UUID
    version: int
    reporter_id: UUID
    reported_id: UUID
    category: ReportCategory
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRaised(DomainEvent):
    """A pattern was detected."""

    flag_id: UUID
    version: int
    user_id: UUID
    pattern: Pattern
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened(DomainEvent):
    """A case entered the queue, or returned to it."""

    case_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned(DomainEvent):
    """A moderator took a case."""

    case_id: UUID
    version: int
    user_id: UUID
    moderator_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecided(DomainEvent):
    """A moderator decided a case."""

    case_id: UUID
    version: int
    user_id: UUID
    moderator_id: UUID
    decision: Decision
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionChanged(DomainEvent):
    """A measure against a member changed; the event carries all measures."""

    user_id: UUID
    version: int
    reduced_visibility: bool
    restricted: bool
    suspended: bool
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHeadsExported(DomainEvent):
    """SA-11: the heads of the audit chains were signed and exported."""

    export_id: UUID
    version: int
    document: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealSubmitted(DomainEvent):
    """A member appealed."""

    appeal_id: UUID
    version: int
    user_id: UUID
    case_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErasedFromSafety(DomainEvent):
    """ID-09: what this context kept of a member is erased. The aggregate is the erasure."""

    erasure_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime
