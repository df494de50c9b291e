"""Cases (SA-05), pure: open → assigned → decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_safety.domain import errors, events
from unora_safety.domain.restrictions import Decision, Restriction, apply_decision


class CaseStatus(StrEnum):
    """State of a case."""

    OPEN = "open"
    ASSIGNED = "assigned"
    DECIDED = "decided"


class CaseOrigin(StrEnum):
    """What first put a case into the queue."""

    FLAG = "flag"
    REPORT = "report"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True)
class Case:
    """A case about one member."""

    id: UUID
    user_id: UUID
    origin: CaseOrigin
    status: CaseStatus
    appealed: bool
    opened_at: datetime
    version: int
    moderator_id: UUID | None = None
    decision: Decision | None = None
    note: str = ""
    assigned_at: datetime | None = None
    decided_at: datetime | None = None


class EventHeader(TypedDict):
    """The fields that all events of a case have."""

    case_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime


def open_or_update(
    undecided: Case | None, user_id: UUID, origin: CaseOrigin, case_id: UUID, now: datetime
) -> tuple[Case, list[events.CaseOpened]]:
    """The case for a new flag, report or appeal about a member: the undecided one, else a new one.

    The first appeal puts a case that a moderator has back into the queue: a decision may now lift measures in force, so
    the moderator who decides must know of the appeal when taking the case.
    """
    appealed = origin is CaseOrigin.APPEAL
    if undecided is None:
        opened = Case(case_id, user_id, origin, CaseStatus.OPEN, appealed, now, version=1)
        return opened, [events.CaseOpened(**event_header(opened, now))]
    if not appealed or undecided.appealed:
        return undecided, []
    updated = replace(undecided, appealed=True)  # needs no event: AppealSubmitted names the case
    if updated.status is CaseStatus.OPEN:
        return updated, []
    reopened = replace(
        updated, status=CaseStatus.OPEN, moderator_id=None, assigned_at=None, version=updated.version + 1
    )
    return reopened, [events.CaseOpened(**event_header(reopened, now))]


def assign(case: Case, moderator: UUID, now: datetime, *, take_over: bool) -> tuple[Case, list[events.CaseAssigned]]:
    """Assigns a case to a moderator; to the one who has it already, nothing changes.

    Raises CaseDecided, CaseAboutYourself, or CaseAssigned if another has it and `take_over` is false.
    """
    if case.status is CaseStatus.DECIDED:
        raise errors.CaseDecided
    if moderator == case.user_id:
        raise errors.CaseAboutYourself
    if case.moderator_id == moderator:
        return case, []
    if case.moderator_id is not None and not take_over:
        raise errors.CaseAssigned
    after = replace(case, status=CaseStatus.ASSIGNED, moderator_id=moderator, assigned_at=now, version=case.version + 1)
    return after, [events.CaseAssigned(**event_header(after, now), moderator_id=moderator)]


def decide(
    case: Case, restriction: Restriction, moderator: UUID, decision: Decision, note: str, now: datetime
) -> tuple[Case, Restriction, list[DomainEvent]]:
    """The moderator who has a case decides it, once (SA-05). Raises CaseDecided or CaseNotTaken."""
    if case.status is CaseStatus.DECIDED:
        raise errors.CaseDecided
    if case.moderator_id != moderator:
        raise errors.CaseNotTaken
    decided = replace(
        case, status=CaseStatus.DECIDED, decision=decision, note=note, decided_at=now, version=case.version + 1
    )
    emitted: list[DomainEvent] = [
        events.CaseDecided(**event_header(decided, now), moderator_id=moderator, decision=decision)
    ]
    changed = apply_decision(restriction, decision, replaces=case.appealed)
    if changed.version != restriction.version:
        emitted.append(
            events.RestrictionChanged(
                user_id=changed.user_id,
                version=changed.version,
                reduced_visibility=changed.reduced_visibility,
                restricted=changed.restricted,
                suspended=changed.suspended,
                occurred_at=now,
            )
        )
    return decided, changed, emitted


def event_header(case: Case, now: datetime) -> EventHeader:
    """The fields that all events of a case have."""
    return {"case_id": case.id, "version": case.version, "user_id": case.user_id, "occurred_at": now}
