"""SA-10: what members see of their own reports and appeals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from unora_safety.domain.blocks import Target, TargetKind
from unora_safety.domain.own_reports import AppealDecision, OwnAppeal, OwnReport, ReportState
from unora_safety.domain.reports import ReportCategory
from unora_safety.domain.restrictions import Decision

NOW, WEEK = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(days=7)


@pytest.mark.rule("SA-10")
@pytest.mark.parametrize(
    ("age", "state", "note"),
    [
        (timedelta(0), ReportState.RECEIVED, "words"),
        (WEEK - timedelta(microseconds=1), ReportState.RECEIVED, "words"),
        (WEEK, ReportState.CLOSED, ""),
        (2 * WEEK, ReportState.CLOSED, ""),
    ],
)
def test_what_is_shown_of_a_report_follows_from_its_age_alone(age: timedelta, state: ReportState, note: str) -> None:
    target = Target(TargetKind.CARD, UUID(int=2))
    report = OwnReport(id=UUID(int=1), target=target, category=ReportCategory.SCAM, note="words", reported_at=NOW - age)
    assert (report.state(NOW, WEEK), report.shown_note(NOW, WEEK)) == (state, note)


@pytest.mark.rule("SA-10", "SA-03")
@pytest.mark.parametrize(
    ("decided_as", "shown"),
    [
        (None, None),
        (Decision.SUSPEND, AppealDecision.SUSPENDED),
        (Decision.DISMISS, AppealDecision.NOT_SUSPENDED),
        (Decision.REDUCE_VISIBILITY, AppealDecision.NOT_SUSPENDED),
        (Decision.RESTRICT, AppealDecision.NOT_SUSPENDED),
    ],
)
def test_an_appeal_shows_a_suspension_and_no_silent_measure(
    decided_as: Decision | None, shown: AppealDecision | None
) -> None:
    appeal = OwnAppeal(
        id=UUID(int=1), text="please", submitted_at=NOW, decided_as=decided_as, decided_at=NOW if decided_as else None
    )
    assert appeal.decision is shown
