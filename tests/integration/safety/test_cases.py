"""Reports, appeals and decisions through the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND
from unora.safety.v1.events_pb2 import (
    DECISION_DISMISS,
    DECISION_REDUCE_VISIBILITY,
    DECISION_RESTRICT,
    DECISION_SUSPEND,
    REPORT_CATEGORY_HARASSMENT,
    AppealSubmitted,
    CaseAssigned,
    CaseDecided,
    CaseOpened,
    MemberReported,
    RestrictionChanged,
)
from unora.safety.v1.moderation_service_pb2 import (
    CASE_ORIGIN_APPEAL,
    CASE_ORIGIN_REPORT,
    CASE_STATUS_ASSIGNED,
    CASE_STATUS_DECIDED,
    CASE_STATUS_OPEN,
    Case,
)
from unora.safety.v1.safety_service_pb2 import ReportUserRequest, Target
from unora_testing.world import Caller, World

from tests.integration.safety.meetings import Meetings
from tests.integration.safety.office import Office
from tests.support import read_refusal, refusal, request_id


async def outcome(call: Awaitable[Any]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


async def reported(meetings: Meetings) -> tuple[Caller, Target]:
    """Somebody who was reported once, and the target through which."""
    me, other = meetings.members(2)
    target = await meetings.card(me, other)
    await meetings.report(me, target)
    return other, target


async def standings(world: World, member: Caller) -> list[tuple[int, bool, bool, bool]]:
    found = await world.events(RestrictionChanged, member.id)
    return [(event.version, event.reduced_visibility, event.restricted, event.suspended) for event in found]


@pytest.mark.rule("SA-07", "SA-02", "XX-01")
async def test_a_report_comes_into_the_queue_and_its_note_stays_there(meetings: Meetings, office: Office) -> None:
    me, other = meetings.members(2)
    target = await meetings.card(me, other)
    report_id = await meetings.report(me, target, "he wrote xylophone to me")
    known = await office.explain(other)
    (report,) = known.reports
    assert (report.report_id, report.reporter_id, report.note) == (report_id, me.id, "he wrote xylophone to me")
    assert (known.cases[0].status, known.cases[0].origin) == (CASE_STATUS_OPEN, CASE_ORIGIN_REPORT)
    (event,) = await meetings.world.events(MemberReported, report_id)
    assert (event.reporter_id, event.reported_id, event.category) == (me.id, other.id, REPORT_CATEGORY_HARASSMENT)
    told = await meetings.world.superuser.fetchval(
        "SELECT count(*) FROM safety.outbox WHERE position('xylophone'::bytea IN payload) > 0"
    )
    assert told == 0
    kept = await meetings.world.superuser.fetchval(
        "SELECT count(*) FROM safety.kept_answers WHERE position('xylophone'::bytea IN answer) > 0"
    )
    assert kept == 0


@pytest.mark.rule("SA-07", "XX-04")
async def test_a_report_needs_a_category_and_a_target_of_ones_own(meetings: Meetings) -> None:
    me, other, third = meetings.members(3)
    mine, theirs = await meetings.card(me, other), await meetings.card(third, other)
    asked = ReportUserRequest(request_id=request_id(), target=mine)
    refused = await refusal(meetings.safety.ReportUser(asked, metadata=me.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["category"])
    seen = {str(await refusal(meetings.report(me, target))) for target in (theirs, Target(card_id=request_id()))}
    assert len(seen) == 1
    assert "TARGET_NOT_FOUND" in seen.pop()


@pytest.mark.rule("SA-07", "SA-03")
async def test_nobody_buries_what_others_report_under_reports_of_their_own(meetings: Meetings, office: Office) -> None:
    other, _ = await reported(meetings)
    loud, third = meetings.members(2)
    at_other, at_third = await meetings.card(loud, other), await meetings.card(loud, third, SERVER_TYPE_FRIEND)
    first = request_id()
    await meetings.report(loud, at_other, request=first)
    several = [meetings.report(loud, target) for target in (at_other, at_third) for _ in range(15)]
    results = await asyncio.gather(*map(outcome, several))
    assert sorted(results) == ["OK"] * 19 + ["TOO_MANY_REPORTS"] * 11
    assert await meetings.report(loud, at_other, request=first)
    seen = [await refusal(meetings.report(loud, target)) for target in (at_other, at_third)]
    assert (seen[0].code, list(seen[0].metadata)) == ("RESOURCE_EXHAUSTED", ["available_at"])
    assert str(seen[0]) == str(seen[1])
    assert {each.reporter_id for each in (await office.explain(other)).reports} > {loud.id}
    await meetings.world.move_clock(timedelta(hours=24))
    assert await meetings.report(loud, at_other)


@pytest.mark.rule("SA-05")
async def test_all_that_comes_about_one_member_is_one_case(meetings: Meetings, office: Office) -> None:
    other, *reporters = meetings.members(6)
    targets = [await meetings.card(each, other) for each in reporters]
    await asyncio.gather(
        *(meetings.report(each, target) for each, target in zip(reporters, targets, strict=True) for _ in range(2)),
        meetings.appeal(other),
    )
    known = await office.explain(other)
    assert len(known.cases) == 1
    assert (len(known.reports), len(known.appeals), known.cases[0].appealed) == (10, 1, True)
    assert {report.case_id for report in known.reports} == {known.cases[0].case_id}
    assert len(await meetings.world.events(CaseOpened, known.cases[0].case_id)) == 1


@pytest.mark.rule("SA-05", "SA-01")
async def test_a_case_is_taken_by_one_and_decided_once(meetings: Meetings, office: Office) -> None:
    other, _ = await reported(meetings)
    case_id = (await office.case_of(other)).case_id
    moderators = [meetings.world.caller(roles=["admin"]) for _ in range(4)]
    results = await asyncio.gather(*(outcome(office.assign(case_id, each)) for each in moderators))
    assert sorted(results) == ["CASE_ASSIGNED"] * 3 + ["OK"]
    first = moderators[results.index("OK")]
    rest = [each for each in moderators if each is not first]
    assert (await refusal(office.decide(case_id, DECISION_RESTRICT, rest[0]))).reason == "CASE_NOT_TAKEN"
    taken = await office.assign(case_id, rest[0], take_over=True)
    assert (taken.status, taken.moderator_id) == (CASE_STATUS_ASSIGNED, rest[0].id)
    assert (await refusal(office.decide(case_id, DECISION_RESTRICT, first))).reason == "CASE_NOT_TAKEN"
    decisions = (DECISION_DISMISS, DECISION_RESTRICT, DECISION_SUSPEND, DECISION_REDUCE_VISIBILITY)
    results = await asyncio.gather(*(outcome(office.decide(case_id, each, rest[0])) for each in decisions))
    assert sorted(results) == ["CASE_DECIDED"] * 3 + ["OK"]
    assert (await refusal(office.assign(case_id, rest[1], take_over=True))).reason == "CASE_DECIDED"
    (decided,) = await meetings.world.events(CaseDecided, case_id)
    assert (decided.decision, decided.moderator_id) == (decisions[results.index("OK")], rest[0].id)
    assert len(await meetings.world.events(CaseAssigned, case_id)) == 2
    await meetings.world.drain()
    audited = await meetings.world.superuser.fetch(
        "SELECT subject FROM safety.audit_logs WHERE aggregate_id = $1 ORDER BY number", UUID(case_id)
    )
    words = ["case_opened", "case_assigned", "case_assigned", "case_decided"]
    assert [row["subject"] for row in audited] == [f"unora.safety.v1.{word}" for word in words]


@pytest.mark.rule("SA-05", "BI-08")
async def test_a_repeated_decision_gets_its_answer_and_changes_nothing(meetings: Meetings, office: Office) -> None:
    other, _ = await reported(meetings)
    case = await office.assign((await office.case_of(other)).case_id)
    request = request_id()
    first = await office.decide(case.case_id, DECISION_RESTRICT, note="seen the card", request=request)
    again = await asyncio.gather(
        *(office.decide(case.case_id, DECISION_RESTRICT, note="seen the card", request=request) for _ in range(5))
    )
    assert all(each == first for each in again)
    assert (first.case.note, first.standing.restricted) == ("seen the card", True)
    assert await standings(meetings.world, other) == [(1, False, True, False)]


@pytest.mark.rule("SA-05", "SA-08")
async def test_without_an_appeal_decisions_add_up_and_a_dismissal_lifts_nothing(
    meetings: Meetings, office: Office
) -> None:
    other, target = await reported(meetings)
    await office.settle_case(other, DECISION_DISMISS)
    assert await standings(meetings.world, other) == []
    reporter = meetings.members(1)[0]
    target = await meetings.card(reporter, other)
    for decision in (DECISION_REDUCE_VISIBILITY, DECISION_SUSPEND, DECISION_DISMISS, DECISION_SUSPEND):
        await meetings.report(reporter, target)
        await office.settle_case(other, decision)
    assert await standings(meetings.world, other) == [(1, True, False, False), (2, True, False, True)]
    assert [case.status for case in (await office.explain(other)).cases] == [CASE_STATUS_DECIDED] * 5


@pytest.mark.rule("SA-06", "SA-05")
async def test_after_an_appeal_the_decision_replaces_what_was_done(meetings: Meetings, office: Office) -> None:
    other, _ = await reported(meetings)
    await office.settle_case(other, DECISION_SUSPEND)
    appeal_id = await meetings.appeal(other, "it was my brother")
    case = await office.case_of(other)
    assert (case.origin, case.appealed) == (CASE_ORIGIN_APPEAL, True)
    (event,) = await meetings.world.events(AppealSubmitted, appeal_id)
    assert (event.user_id, event.case_id) == (other.id, case.case_id)
    assert (await office.explain(other)).appeals[0].text == "it was my brother"
    await office.settle_case(other, DECISION_RESTRICT)
    await meetings.appeal(other)
    await office.settle_case(other, DECISION_DISMISS)
    assert await standings(meetings.world, other) == [
        (1, False, False, True),
        (2, False, True, False),
        (3, False, False, False),
    ]
    standing = (await office.explain(other)).standing
    assert (standing.reduced_visibility, standing.restricted, standing.suspended) == (False, False, False)


@pytest.mark.rule("SA-05", "SA-06")
async def test_who_judges_a_report_lifts_nothing_because_of_an_appeal_they_have_not_seen(
    meetings: Meetings, office: Office
) -> None:
    other, _ = await reported(meetings)
    await office.settle_case(other, DECISION_RESTRICT)
    reporter = meetings.members(1)[0]
    await meetings.report(reporter, await meetings.card(reporter, other))
    case = await office.assign((await office.case_of(other)).case_id)
    assert not case.appealed
    await meetings.appeal(other)
    assert (await refusal(office.decide(case.case_id, DECISION_DISMISS))).reason == "CASE_NOT_TAKEN"
    assert (await office.explain(other)).standing.restricted
    assert [each.case_id for each in (await office.cases(100, status=CASE_STATUS_OPEN)).cases].count(case.case_id) == 1
    taken = await office.assign(case.case_id)
    assert taken.appealed
    await meetings.appeal(other)
    assert not (await office.decide(case.case_id, DECISION_DISMISS)).standing.restricted
    assert len(await meetings.world.events(CaseOpened, case.case_id)) == 2


@pytest.mark.rule("SA-03", "SA-06")
async def test_an_appeal_tells_nobody_whether_there_is_a_case(meetings: Meetings, office: Office) -> None:
    reduced, _ = await reported(meetings)
    await office.settle_case(reduced, DECISION_REDUCE_VISIBILITY)
    under_way, _ = await reported(meetings)
    unknown = meetings.members(1)[0]
    for member in (reduced, under_way, unknown):
        for _ in range(3):
            assert await meetings.appeal(member)
        refused = await refusal(meetings.appeal(member))
        assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_APPEALS")
        assert list(refused.metadata) == ["available_at"]
    await meetings.world.move_clock(timedelta(hours=24))
    assert await meetings.appeal(unknown)


@pytest.mark.rule("SA-06")
async def test_appeals_at_once_are_no_more_than_a_day_allows(meetings: Meetings) -> None:
    member = meetings.members(1)[0]
    results = await asyncio.gather(*(outcome(meetings.appeal(member)) for _ in range(10)))
    assert sorted(results) == ["OK"] * 3 + ["TOO_MANY_APPEALS"] * 7
    blank = await refusal(meetings.appeal(meetings.members(1)[0], "   "))
    assert (blank.code, list(blank.violations)) == ("INVALID_ARGUMENT", ["text"])


@pytest.mark.rule("SA-05", "XX-03")
async def test_only_admins_moderate_and_nobody_their_own_case(meetings: Meetings, office: Office) -> None:
    other, _ = await reported(meetings)
    case = await office.case_of(other)
    for call in (
        office.assign(case.case_id, other),
        office.decide(case.case_id, DECISION_DISMISS, other),
        office.assign(case.case_id, meetings.members(1)[0]),
    ):
        assert (await refusal(call)).reason == "ADMIN_ONLY"
    themselves = meetings.world.caller(other.user, roles=["admin"])
    assert (await refusal(office.assign(case.case_id, themselves))).reason == "CASE_ABOUT_YOURSELF"
    for missing in (office.assign(request_id()), office.decide(request_id(), DECISION_DISMISS)):
        refused = await refusal(missing)
        assert (refused.code, refused.reason) == ("NOT_FOUND", "CASE_NOT_FOUND")


@pytest.mark.rule("SA-05")
async def test_the_queue_is_oldest_first_and_pages(meetings: Meetings, office: Office) -> None:
    members = [(await reported(meetings))[0] for _ in range(5)]
    await office.settle_case(members[1], DECISION_DISMISS)
    found, token = list[Case](), ""
    while True:
        page = await office.cases(3, token, CASE_STATUS_OPEN)
        found += page.cases
        token = page.next_page_token
        if not token:
            break
    ours = [case.user_id for case in found if case.user_id in {each.id for each in members}]
    assert ours == [member.id for member in members if member is not members[1]]
    assert {case.status for case in found} == {CASE_STATUS_OPEN}
    decided = await office.cases(100, status=CASE_STATUS_DECIDED)
    assert members[1].id in [case.user_id for case in decided.cases]
    strange = await refusal(office.cases(3, (await office.cases(3)).next_page_token, CASE_STATUS_OPEN))
    assert list(strange.violations) == ["page_token"]


@pytest.mark.rule("SA-02", "XX-04")
async def test_a_member_of_whom_nothing_is_known_is_like_an_id_of_nobody(meetings: Meetings, office: Office) -> None:
    known, nobody = [await office.explain(each) for each in meetings.members(2)]
    assert known == nobody
    assert not [*known.flags, *known.cases, *known.reports, *known.appeals]
