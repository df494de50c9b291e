"""Cases and standings, pure."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from uuid import uuid4

import pytest
from unora_safety.domain import Case, CaseStatus, Decision, Origin, Standing, assign, come_in, decide
from unora_safety.domain.errors import CaseAboutYourself, CaseAssigned, CaseDecided, CaseNotTaken
from unora_safety.domain.events import CaseOpened, RestrictionChanged

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_case(origin: Origin = Origin.REPORT) -> Case:
    return come_in(None, uuid4(), origin, uuid4(), NOW)[0]


@pytest.mark.rule("SA-05")
def test_what_comes_while_a_case_is_undecided_is_heard_in_it() -> None:
    user = uuid4()
    first, told = come_in(None, user, Origin.FLAG, uuid4(), NOW)
    assert (first.status, first.version, len(told)) == (CaseStatus.OPEN, 1, 1)
    same, told_again = come_in(first, user, Origin.REPORT, uuid4(), NOW)
    assert (same, told_again) == (first, [])
    appealed, told_again = come_in(first, user, Origin.APPEAL, uuid4(), NOW)
    assert (appealed.id, appealed.appealed, appealed.origin, told_again) == (first.id, True, Origin.FLAG, [])


@pytest.mark.rule("SA-05", "SA-06")
def test_an_appeal_takes_a_case_from_a_moderator_who_does_not_know_of_it() -> None:
    one, other = uuid4(), uuid4()
    taken, _ = assign(a_case(), one, NOW, take_over=False)
    standing = Standing(taken.user_id, 1, restricted=True)
    appealed, told = come_in(taken, taken.user_id, Origin.APPEAL, uuid4(), NOW)
    assert (appealed.status, appealed.appealed, appealed.moderator_id) == (CaseStatus.OPEN, True, None)
    assert [(type(event), event.version) for event in told] == [(CaseOpened, taken.version + 1)]
    with pytest.raises(CaseNotTaken):
        decide(appealed, standing, one, Decision.DISMISS, "", NOW)
    again, _ = assign(appealed, other, NOW, take_over=False)
    assert come_in(again, taken.user_id, Origin.APPEAL, uuid4(), NOW) == (again, [])
    _, lifted, _ = decide(again, standing, other, Decision.DISMISS, "", NOW)
    assert lifted.measures == (False, False, False)


@pytest.mark.rule("SA-05")
def test_a_case_is_decided_once_by_who_has_it() -> None:
    case, one, other = a_case(), uuid4(), uuid4()
    standing = Standing(case.user_id)
    with pytest.raises(CaseNotTaken):
        decide(case, standing, one, Decision.DISMISS, "", NOW)
    with pytest.raises(CaseAboutYourself):
        assign(case, case.user_id, NOW, take_over=True)
    taken, told = assign(case, one, NOW, take_over=False)
    assert [event.version for event in told] == [2]
    assert assign(taken, one, NOW, take_over=False) == (taken, [])
    with pytest.raises(CaseAssigned):
        assign(taken, other, NOW, take_over=False)
    over, _ = assign(taken, other, NOW, take_over=True)
    with pytest.raises(CaseNotTaken):
        decide(over, standing, one, Decision.DISMISS, "", NOW)
    decided, _, events = decide(over, standing, other, Decision.DISMISS, "", NOW)
    assert (decided.status, decided.version, len(events)) == (CaseStatus.DECIDED, 4, 1)
    with pytest.raises(CaseDecided):
        decide(decided, standing, other, Decision.SUSPEND, "", NOW)
    with pytest.raises(CaseDecided):
        assign(decided, one, NOW, take_over=True)


DONE = {
    Decision.DISMISS: (False, False, False),
    Decision.REDUCE_VISIBILITY: (True, False, False),
    Decision.RESTRICT: (False, True, False),
    Decision.SUSPEND: (False, False, True),
}


@pytest.mark.rule("SA-05", "SA-06")
@pytest.mark.parametrize(("before", "decision"), list(product(product((False, True), repeat=3), Decision)))
def test_only_after_an_appeal_is_anything_lifted(before: tuple[bool, bool, bool], decision: Decision) -> None:
    for origin in Origin:
        moderator = uuid4()
        case, _ = assign(a_case(origin), moderator, NOW, take_over=False)
        standing = Standing(case.user_id, 7, *before)
        _, after, told = decide(case, standing, moderator, decision, "", NOW)
        adds = tuple(was or is_ for was, is_ in zip(before, DONE[decision], strict=True))
        assert after.measures == (DONE[decision] if origin is Origin.APPEAL else adds)
        changed = [event for event in told if isinstance(event, RestrictionChanged)]
        assert after.version == 7 + len(changed)
        assert len(changed) == (after.measures != before)
