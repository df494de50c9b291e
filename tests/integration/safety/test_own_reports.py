"""SA-10: members see their own reports and appeals, and nothing of what moderators do silently."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from unora.identity.v1.events_pb2 import AccountErasureRequested
from unora.safety.v1.events_pb2 import (
    DECISION_DISMISS,
    DECISION_REDUCE_VISIBILITY,
    DECISION_RESTRICT,
    DECISION_SUSPEND,
    REPORT_CATEGORY_HARASSMENT,
    Decision,
)
from unora.safety.v1.safety_service_pb2 import (
    APPEAL_DECISION_NOT_SUSPENDED,
    APPEAL_DECISION_SUSPENDED,
    APPEAL_DECISION_UNSPECIFIED,
    REPORT_STATE_CLOSED,
    REPORT_STATE_RECEIVED,
    ListAppealsRequest,
    ListReportsRequest,
    OwnAppeal,
    OwnReport,
)
from unora_common.ids import uuid7
from unora_safety.jobs import DetectionJobs
from unora_safety.store.own_data import SECTIONS
from unora_testing.world import Caller, World

from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.support import refusal

pytestmark = pytest.mark.rule("SA-10")
DECISIONS = [DECISION_DISMISS, DECISION_REDUCE_VISIBILITY, DECISION_RESTRICT, DECISION_SUSPEND]


async def reports(safety: SafetyCalls, member: Caller, size: int = 0, token: str = "") -> Any:
    request = ListReportsRequest(page_size=size, page_token=token)
    return await safety.stub.ListReports(request, metadata=member.metadata)


async def appeals(safety: SafetyCalls, member: Caller, size: int = 0, token: str = "") -> Any:
    request = ListAppealsRequest(page_size=size, page_token=token)
    return await safety.stub.ListAppeals(request, metadata=member.metadata)


async def erase(world: World, member: Caller) -> None:
    asked = AccountErasureRequested(user_id=member.id, version=900, erasure_id=str(uuid7()))
    asked.occurred_at.FromDatetime(await world.now())
    await world.publish(asked)
    await world.drain()


async def stored_notes(world: World, reported: Caller) -> list[str]:
    rows = await world.superuser.fetch("SELECT note FROM safety.reports WHERE reported_id = $1", reported.user)
    return [row["note"] for row in rows]


async def report_one(safety: SafetyCalls) -> tuple[Caller, Caller, str]:
    me, other = safety.members(2)
    return me, other, await safety.report(me, await safety.card(me, other), "shouts")


async def test_a_member_sees_their_own_reports_and_nobody_elses(safety: SafetyCalls) -> None:
    me, other, identifier = await report_one(safety)
    (report,) = (await reports(safety, me)).reports
    assert (report.report_id, report.category, report.note) == (identifier, REPORT_CATEGORY_HARASSMENT, "shouts")
    assert report.target.card_id
    assert report.state == REPORT_STATE_RECEIVED
    assert report.reported_at.seconds
    assert other.id not in str(report)
    assert not (await reports(safety, other)).reports


@pytest.mark.rule("SA-10", "SA-03", "SA-07")
@pytest.mark.parametrize("decision", [None, *DECISIONS])
async def test_a_report_closes_a_fixed_time_later_whatever_was_decided_and_whenever(
    world: World, safety: SafetyCalls, moderators: Moderators, decision: Decision.ValueType | None
) -> None:
    me, other, _ = await report_one(safety)
    (received,) = (await reports(safety, me)).reports
    if decision is not None:
        await moderators.decide_newest_case(other, decision)
        await world.drain()
    (report,) = (await reports(safety, me)).reports
    assert report == received
    await world.move_clock(timedelta(days=7) - timedelta(minutes=5))
    assert list((await reports(safety, me)).reports) == [received]
    await world.move_clock(timedelta(minutes=10))
    (closed,) = (await reports(safety, me)).reports
    expected = OwnReport()
    expected.CopyFrom(received)
    expected.state, expected.note = REPORT_STATE_CLOSED, ""
    assert closed == expected


@pytest.mark.rule("SA-10", "ID-09")
async def test_a_report_tells_its_author_nothing_of_the_erasure_of_the_reported_member(
    world: World, safety: SafetyCalls
) -> None:
    me, other, _ = await report_one(safety)
    second = await safety.card(me, other)
    received = await reports(safety, me)
    await erase(world, other)
    assert await reports(safety, me) == received
    assert [each.note for each in received.reports] == ["shouts"]
    assert await stored_notes(world, other) == [""], "what moderators have is erased"

    await safety.report(me, second, "still shouts")
    newest, _ = (await reports(safety, me)).reports
    assert newest.note == "still shouts", "as after any other report"
    assert await stored_notes(world, other) == ["", ""]

    await world.move_clock(timedelta(days=7))
    assert [each.note for each in (await reports(safety, me)).reports] == ["", ""]
    await DetectionJobs(world.apps["safety"].runtime).forget()
    assert await world.superuser.fetchval("SELECT count(*) FROM safety.own_notes WHERE reporter_id = $1", me.user) == 0


@pytest.mark.rule("SA-10", "ID-09")
async def test_what_an_erased_author_wrote_is_erased_also_before_the_report_is_closed(
    world: World, safety: SafetyCalls
) -> None:
    me, other, _ = await report_one(safety)
    await erase(world, me)
    assert await stored_notes(world, other) == [""]
    assert await world.superuser.fetchval("SELECT count(*) FROM safety.own_notes WHERE reporter_id = $1", me.user) == 0


@pytest.mark.rule("SA-10", "ID-10")
async def test_an_export_has_the_note_as_long_as_its_author_is_shown_it(world: World, safety: SafetyCalls) -> None:
    me, other, _ = await report_one(safety)
    (section,) = [each for each in SECTIONS if each.name == "reports"]
    assert [row["note"] for row in await world.superuser.fetch(section.sql, me.user)] == ["shouts"]
    await erase(world, other)
    assert [row["note"] for row in await world.superuser.fetch(section.sql, me.user)] == ["shouts"]
    await world.move_clock(timedelta(days=8))
    await DetectionJobs(world.apps["safety"].runtime).forget()
    assert [row["note"] for row in await world.superuser.fetch(section.sql, me.user)] == [""]


async def test_lists_come_by_pages_the_newest_first(safety: SafetyCalls) -> None:
    me, other = safety.members(2)
    made = [await safety.report(me, await safety.card(me, other), f"note {number}") for number in range(3)]
    written = [await safety.appeal(me, f"appeal {number}") for number in range(3)]
    first = await reports(safety, me, 2)
    rest = await reports(safety, me, 2, first.next_page_token)
    assert [each.report_id for each in (*first.reports, *rest.reports)] == made[::-1]
    assert not rest.next_page_token
    first = await appeals(safety, me, 2)
    rest = await appeals(safety, me, 2, first.next_page_token)
    assert [each.appeal_id for each in (*first.appeals, *rest.appeals)] == written[::-1]
    assert (await refusal(reports(safety, me, 2, first.next_page_token))).code == "INVALID_ARGUMENT"


@pytest.mark.rule("SA-10", "SA-03", "SA-06")
@pytest.mark.parametrize("decision", DECISIONS)
async def test_an_appeal_tells_whether_its_author_is_suspended_and_nothing_of_silent_measures(
    world: World, safety: SafetyCalls, moderators: Moderators, decision: Decision.ValueType
) -> None:
    (me,) = safety.members(1)
    identifier = await safety.appeal(me, "please")
    (open_one,) = (await appeals(safety, me)).appeals
    assert (open_one.appeal_id, open_one.text, open_one.decision) == (identifier, "please", APPEAL_DECISION_UNSPECIFIED)
    assert not open_one.HasField("decided_at")
    await moderators.decide_newest_case(me, decision)
    await world.drain()
    (decided,) = (await appeals(safety, me)).appeals
    suspended = decision == DECISION_SUSPEND
    assert decided.decision == (APPEAL_DECISION_SUSPENDED if suspended else APPEAL_DECISION_NOT_SUSPENDED)
    assert decided.HasField("decided_at")


@pytest.mark.rule("SA-10", "SA-03")
async def test_decisions_that_differ_in_a_silent_measure_look_alike_byte_by_byte(
    world: World, safety: SafetyCalls, moderators: Moderators
) -> None:
    seen = set()
    for decision in (DECISION_DISMISS, DECISION_REDUCE_VISIBILITY, DECISION_RESTRICT):
        (me,) = safety.members(1)
        await safety.appeal(me, "please")
        await moderators.decide_newest_case(me, decision)
        (appeal,) = (await appeals(safety, me)).appeals
        shown = OwnAppeal(text=appeal.text, decision=appeal.decision)
        assert {field.name for field, _ in appeal.ListFields()} == {
            *("appeal_id", "text", "decision", "submitted_at", "decided_at"),
        }
        seen.add(shown.SerializeToString())
    assert len(seen) == 1


@pytest.mark.rule("SA-10", "SA-06", "XX-03")
async def test_a_suspended_member_reads_their_appeals_but_not_their_reports(world: World, safety: SafetyCalls) -> None:
    (me,) = safety.members(1)
    suspended = world.caller(me.user, suspended=True)
    await safety.appeal(suspended, "it was not me")
    (appeal,) = (await appeals(safety, suspended)).appeals
    assert appeal.text == "it was not me"
    assert (await refusal(reports(safety, suspended))).code == "PERMISSION_DENIED"


async def test_an_appeal_that_was_made_after_a_decision_is_open_again(
    world: World, safety: SafetyCalls, moderators: Moderators
) -> None:
    (me,) = safety.members(1)
    await safety.appeal(me, "first")
    await moderators.decide_newest_case(me, DECISION_SUSPEND)
    await safety.appeal(me, "second")
    second, first = (await appeals(safety, me)).appeals
    assert (first.decision, second.decision) == (APPEAL_DECISION_SUSPENDED, APPEAL_DECISION_UNSPECIFIED)
