"""Cases and standings (SA-03, SA-05, SA-06), pure: open → assigned → decided, and what a decision does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_safety.domain import errors, events
from unora_safety.domain.events import Decision


class CaseStatus(StrEnum):
    """State of a case."""

    OPEN = "open"
    ASSIGNED = "assigned"
    DECIDED = "decided"


class Origin(StrEnum):
    """What brought a case into the queue first."""

    FLAG = "flag"
    REPORT = "report"
    APPEAL = "appeal"


@dataclass(frozen=True)
class Standing:
    """What others do about a member, as a whole. Version 0: nothing was ever told."""

    user_id: UUID
    version: int = 0
    reduced_visibility: bool = False
    restricted: bool = False
    suspended: bool = False

    @property
    def measures(self) -> tuple[bool, bool, bool]:
        """What is done, without whom it is about."""
        return self.reduced_visibility, self.restricted, self.suspended


@dataclass(frozen=True)
class Case:
    """A case about one member."""

    id: UUID
    user_id: UUID
    origin: Origin
    status: CaseStatus
    appealed: bool
    opened_at: datetime
    version: int
    moderator_id: UUID | None = None
    decision: Decision | None = None
    note: str = ""
    assigned_at: datetime | None = None
    decided_at: datetime | None = None


def come_in(
    undecided: Case | None, user_id: UUID, origin: Origin, case_id: UUID, now: datetime
) -> tuple[Case, list[events.CaseOpened]]:
    """The case in which something new about a member is heard: the undecided one, else a new one.

    The first appeal puts a case that a moderator has back into the queue: whoever decides it from now on may lift what
    is in force, and must have taken it knowing that.
    """
    appealed = origin is Origin.APPEAL
    if undecided is None:
        new = Case(case_id, user_id, origin, CaseStatus.OPEN, appealed, now, version=1)
        return new, [events.CaseOpened(new.id, new.version, user_id, now)]
    if not appealed or undecided.appealed:
        return undecided, []
    heard = replace(undecided, appealed=True)  # told as AppealSubmitted, which names the case
    if heard.status is CaseStatus.OPEN:
        return heard, []
    back = replace(heard, status=CaseStatus.OPEN, moderator_id=None, assigned_at=None, version=heard.version + 1)
    return back, [events.CaseOpened(back.id, back.version, user_id, now)]


def assign(case: Case, moderator: UUID, now: datetime, *, take_over: bool) -> tuple[Case, list[events.CaseAssigned]]:
    """A moderator takes a case; taking it again changes nothing."""
    if case.status is CaseStatus.DECIDED:
        raise errors.CaseDecided
    if moderator == case.user_id:
        raise errors.CaseAboutYourself
    if case.moderator_id == moderator:
        return case, []
    if case.moderator_id is not None and not take_over:
        raise errors.CaseAssigned
    after = replace(case, status=CaseStatus.ASSIGNED, moderator_id=moderator, assigned_at=now, version=case.version + 1)
    return after, [events.CaseAssigned(case.id, after.version, case.user_id, moderator, now)]


def decide(
    case: Case, standing: Standing, moderator: UUID, decision: Decision, note: str, now: datetime
) -> tuple[Case, Standing, list[events.Told]]:
    """The moderator who has a case decides it, once (SA-05)."""
    if case.status is CaseStatus.DECIDED:
        raise errors.CaseDecided
    if case.moderator_id != moderator:
        raise errors.CaseNotTaken
    after = replace(
        case, status=CaseStatus.DECIDED, decision=decision, note=note, decided_at=now, version=case.version + 1
    )
    told: list[events.Told] = [
        events.CaseDecided(case.id, after.version, case.user_id, moderator, decision, now),
    ]
    changed = _follow(standing, decision, replaces=case.appealed)
    if changed.measures == standing.measures:
        return after, standing, told
    changed = replace(changed, version=standing.version + 1)
    told.append(events.RestrictionChanged(standing.user_id, changed.version, *changed.measures, now))
    return after, changed, told


def _follow(standing: Standing, decision: Decision, *, replaces: bool) -> Standing:
    """After an appeal a decision takes the place of what was done before; else it is added to it."""
    before = Standing(standing.user_id) if replaces else standing
    return replace(
        before,
        reduced_visibility=before.reduced_visibility or decision is Decision.REDUCE_VISIBILITY,
        restricted=before.restricted or decision is Decision.RESTRICT,
        suspended=before.suspended or decision is Decision.SUSPEND,
    )
