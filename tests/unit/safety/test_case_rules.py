"""Cases and restrictions, pure."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from uuid import uuid4

import pytest
from unora_safety.domain.cases import Case, CaseOrigin, CaseStatus, assign, decide, open_or_update
from unora_safety.domain.errors import CaseAboutYourself, CaseAssigned, CaseDecided, CaseNotTaken
from unora_safety.domain.events import CaseOpened, RestrictionChanged
from unora_safety.domain.restrictions import Decision, Restriction

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_case(origin: CaseOrigin = CaseOrigin.REPORT) -> Case:
    return open_or_update(None, uuid4(), origin, uuid4(), NOW)[0]


@pytest.mark.rule("SA-05")
def test_a_report_or_appeal_belongs_to_the_undecided_case() -> None:
    user = uuid4()
    first, events = open_or_update(None, user, CaseOrigin.FLAG, uuid4(), NOW)
    assert (first.status, first.version, len(events)) == (CaseStatus.OPEN, 1, 1)
    same, new_events = open_or_update(first, user, CaseOrigin.REPORT, uuid4(), NOW)
    assert (same, new_events) == (first, [])
    appealed, new_events = open_or_update(first, user, CaseOrigin.APPEAL, uuid4(), NOW)
    assert (appealed.id, appealed.appealed, appealed.origin, new_events) == (first.id, True, CaseOrigin.FLAG, [])


@pytest.mark.rule("SA-05", "SA-06")
def test_an_appeal_takes_a_case_from_a_moderator_who_does_not_know_of_it() -> None:
    one, other = uuid4(), uuid4()
    taken, _ = assign(a_case(), one, NOW, take_over=False)
    restriction = Restriction(taken.user_id, 1, restricted=True)
    appealed, events = open_or_update(taken, taken.user_id, CaseOrigin.APPEAL, uuid4(), NOW)
    assert (appealed.status, appealed.appealed, appealed.moderator_id) == (CaseStatus.OPEN, True, None)
    assert [(type(event), event.version) for event in events] == [(CaseOpened, taken.version + 1)]
    with pytest.raises(CaseNotTaken):
        decide(appealed, restriction, one, Decision.DISMISS, "", NOW)
    again, _ = assign(appealed, other, NOW, take_over=False)
    assert open_or_update(again, taken.user_id, CaseOrigin.APPEAL, uuid4(), NOW) == (again, [])
    _, lifted, _ = decide(again, restriction, other, Decision.DISMISS, "", NOW)
    assert lifted.measures == (False, False, False)


@pytest.mark.rule("SA-05")
def test_a_case_is_decided_once_by_the_moderator_who_has_it() -> None:
    case, one, other = a_case(), uuid4(), uuid4()
    restriction = Restriction(case.user_id)
    with pytest.raises(CaseNotTaken):
        decide(case, restriction, one, Decision.DISMISS, "", NOW)
    with pytest.raises(CaseAboutYourself):
        assign(case, case.user_id, NOW, take_over=True)
    taken, events = assign(case, one, NOW, take_over=False)
    assert [event.version for event in events] == [2]
    assert assign(taken, one, NOW, take_over=False) == (taken, [])
    with pytest.raises(CaseAssigned):
        assign(taken, other, NOW, take_over=False)
    over, _ = assign(taken, other, NOW, take_over=True)
    with pytest.raises(CaseNotTaken):
        decide(over, restriction, one, Decision.DISMISS, "", NOW)
    decided, _, emitted = decide(over, restriction, other, Decision.DISMISS, "", NOW)
    assert (decided.status, decided.version, len(emitted)) == (CaseStatus.DECIDED, 4, 1)
    with pytest.raises(CaseDecided):
        decide(decided, restriction, other, Decision.SUSPEND, "", NOW)
    with pytest.raises(CaseDecided):
        assign(decided, one, NOW, take_over=True)


MEASURES = {
    Decision.DISMISS: (False, False, False),
    Decision.REDUCE_VISIBILITY: (True, False, False),
    Decision.RESTRICT: (False, True, False),
    Decision.SUSPEND: (False, False, True),
}


@pytest.mark.rule("SA-05", "SA-06")
@pytest.mark.parametrize(("before", "decision"), list(product(product((False, True), repeat=3), Decision)))
def test_only_after_an_appeal_are_measures_lifted(before: tuple[bool, bool, bool], decision: Decision) -> None:
    for origin in CaseOrigin:
        moderator = uuid4()
        case, _ = assign(a_case(origin), moderator, NOW, take_over=False)
        restriction = Restriction(case.user_id, 7, *before)
        _, after, events = decide(case, restriction, moderator, decision, "", NOW)
        added = tuple(had or has for had, has in zip(before, MEASURES[decision], strict=True))
        assert after.measures == (MEASURES[decision] if origin is CaseOrigin.APPEAL else added)
        changed = [event for event in events if isinstance(event, RestrictionChanged)]
        assert after.version == 7 + len(changed)
        assert len(changed) == (after.measures != before)
