"""Reports and appeals of members (SA-06, SA-07)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from unora_common.database import Tx
from unora_common.erasing import erased_among
from unora_common.ids import uuid7

from unora_safety.domain.blocks import Target
from unora_safety.domain.cases import CaseOrigin
from unora_safety.domain.errors import TooManyAppeals, TooManyReports
from unora_safety.domain.events import AppealSubmitted, MemberReported
from unora_safety.domain.reports import DAY, Appeal, Report, ReportCategory, require_daily_limit
from unora_safety.messages.events import to_message
from unora_safety.store import appeals, reports, restrictions
from unora_safety.use_cases.cases import open_or_update_case


async def report_member(
    tx: Tx, reported_id: UUID, target: Target, category: ReportCategory, note: str, daily_limit: int
) -> UUID:
    """SA-07: the report belongs to the member's undecided case, which it opens if there is none. Returns the report.

    The daily limit keeps one member from hiding the reports of others among many of their own. Of a member who is
    erased no note is stored (ID-09) but the author's own, as for every report (SA-10). Raises TooManyReports.
    """
    erased = await erased_among(tx, "safety", [reported_id])
    await reports.lock_reporter(tx, tx.user)
    await restrictions.lock_or_create(tx, reported_id)
    require_daily_limit(await reports.list_times(tx, tx.user, DAY), daily_limit, TooManyReports)
    case, events = await open_or_update_case(tx, reported_id, CaseOrigin.REPORT)
    report = Report(uuid7(), tx.user, category, note, case.id, tx.now)
    reports.add(tx, replace(report, note="") if erased else report, reported_id, target)
    if note:
        reports.add_own_note(tx, report)
    reported = MemberReported(
        report_id=report.id,
        version=1,
        reporter_id=tx.user,
        reported_id=reported_id,
        category=category,
        occurred_at=tx.now,
    )
    tx.emit(*map(to_message, [*events, reported]))
    return report.id


async def submit_appeal(tx: Tx, text: str, daily_limit: int) -> UUID:
    """SA-06: accepted whether there is a case or not, since the member must not learn of one (SA-03). Returns the
    appeal. Raises TooManyAppeals.
    """
    await restrictions.lock_or_create(tx, tx.user)
    require_daily_limit(await appeals.list_times(tx, tx.user, DAY), daily_limit, TooManyAppeals)
    case, events = await open_or_update_case(tx, tx.user, CaseOrigin.APPEAL)
    appeal = Appeal(uuid7(), tx.user, case.id, text, tx.now)
    appeals.add(tx, appeal)
    submitted = AppealSubmitted(
        appeal_id=appeal.id, version=1, user_id=tx.user, case_id=case.id, occurred_at=appeal.submitted_at
    )
    tx.emit(*map(to_message, [*events, submitted]))
    return appeal.id
