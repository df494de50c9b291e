"""What servicers and jobs share: how something new about a member comes before the moderators, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from unora_common.database import Tx
from unora_common.ids import uuid7

from unora_safety.domain import (
    AppealSubmitted,
    Case,
    Category,
    Decision,
    Finding,
    FlagRaised,
    History,
    MemberReported,
    Origin,
    Standing,
    Target,
    TooManyAppeals,
    TooManyReports,
    assign,
    come_in,
    decide,
)
from unora_safety.messages import tell
from unora_safety.store import cases, flags, statements

DAY: Final = timedelta(days=1)


async def report(tx: Tx, reported: UUID, target: Target, category: Category, note: str, per_day: int) -> UUID:
    """SA-07: the report is part of the member's undecided case, which it opens if there is none. So many a day, or one
    member could bury what others reported.
    """
    await statements.lock_reporter(tx, tx.user)
    await cases.lock_subject(tx, reported)
    lately = await statements.reports_within(tx, tx.user, DAY)
    if len(lately) >= per_day:
        raise TooManyReports(available_at=(lately[-per_day] + DAY).isoformat())
    case = await _hear(tx, reported, Origin.REPORT)
    report_id = uuid7()
    statements.add_report(tx, report_id, (tx.user, reported), target, category, note, case.id)
    tell(tx, MemberReported(report_id, 1, tx.user, reported, category, tx.now))
    return report_id


async def appeal(tx: Tx, text: str, per_day: int) -> UUID:
    """SA-06: accepted whether there is a case or not, since that is not the member's to know (SA-03)."""
    await cases.lock_subject(tx, tx.user)
    lately = await statements.appeals_within(tx, tx.user, DAY)
    if len(lately) >= per_day:
        raise TooManyAppeals(available_at=(lately[-per_day] + DAY).isoformat())
    case = await _hear(tx, tx.user, Origin.APPEAL)
    appeal_id = uuid7()
    statements.add_appeal(tx, appeal_id, tx.user, case.id, text)
    tell(tx, AppealSubmitted(appeal_id, 1, tx.user, case.id, tx.now))
    return appeal_id


async def raise_flags(tx: Tx, history: History, found: Sequence[Finding]) -> int:
    """SA-04: one open flag per member and pattern. What was flagged or judged since the detector looked is left out."""
    await cases.lock_subject(tx, history.user_id)
    state = (await flags.states(tx, [history.user_id]))[history.user_id]
    new = [
        each
        for each in found
        if each.pattern not in state.flagged and state.decided.get(each.pattern) == history.decided.get(each.pattern)
    ]
    if not new:
        return 0
    case = await _hear(tx, history.user_id, Origin.FLAG)
    for each in new:
        flag_id = uuid7()
        flags.add(tx, flag_id, history.user_id, each, case.id)
        tell(tx, FlagRaised(flag_id, 1, history.user_id, each.pattern, tx.now))
    return len(new)


async def assign_case(tx: Tx, case_id: UUID, *, take_over: bool) -> Case:
    """SA-05: the moderator who calls takes the case."""
    before, _ = await cases.lock(tx, case_id)
    after, told = assign(before, tx.user, tx.now, take_over=take_over)
    cases.save(tx, before, after)
    tell(tx, *told)
    return after


async def decide_case(tx: Tx, case_id: UUID, decision: Decision, note: str) -> tuple[Case, Standing]:
    """SA-05: the decision, the standing that follows from it, and the end of the flags that led to it."""
    before, standing = await cases.lock(tx, case_id)
    after, changed, told = decide(before, standing, tx.user, decision, note, tx.now)
    cases.save(tx, before, after)
    cases.save_standing(tx, standing, changed)
    flags.close(tx, after.user_id)
    tell(tx, *told)
    return after, changed


async def _hear(tx: Tx, user_id: UUID, origin: Origin) -> Case:
    """The undecided case of a member who is locked, or a new one."""
    before = await cases.undecided(tx, user_id)
    after, told = come_in(before, user_id, origin, uuid7(), tx.now)
    cases.save(tx, before, after)
    tell(tx, *told)
    return after
