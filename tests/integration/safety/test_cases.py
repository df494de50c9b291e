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

from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.measures import count, value
from tests.support import read_refusal, refusal, request_id


async def outcome(call: Awaitable[Any]) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason
    return "OK"


async def reported(safety: SafetyCalls) -> tuple[Caller, Target]:
    """A member who was reported once, and the target of the report."""
    me, other = safety.members(2)
    target = await safety.card(me, other)
    await safety.report(me, target)
    return other, target


async def restriction_events(world: World, member: Caller) -> list[tuple[int, bool, bool, bool]]:
    found = await world.events(RestrictionChanged, member.id)
    return [(event.version, event.reduced_visibility, event.restricted, event.suspended) for event in found]


@pytest.mark.rule("SA-07", "SA-02", "XX-01")
async def test_a_report_opens_a_case_and_its_note_stays_in_the_report(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    me, other = safety.members(2)
    target = await safety.card(me, other)
    report_id = await safety.report(me, target, "he wrote xylophone to me")
    known = await moderators.explain(other)
    (report,) = known.reports
    assert (report.report_id, report.reporter_id, report.note) == (report_id, me.id, "he wrote xylophone to me")
    assert (known.cases[0].status, known.cases[0].origin) == (CASE_STATUS_OPEN, CASE_ORIGIN_REPORT)
    (event,) = await safety.world.events(MemberReported, report_id)
    assert (event.reporter_id, event.reported_id, event.category) == (me.id, other.id, REPORT_CATEGORY_HARASSMENT)
    count = await safety.world.superuser.fetchval(
        "SELECT count(*) FROM safety.outbox WHERE position('xylophone'::bytea IN payload) > 0"
    )
    assert count == 0
    kept = await safety.world.superuser.fetchval(
        "SELECT count(*) FROM safety.kept_answers WHERE position('xylophone'::bytea IN answer) > 0"
    )
    assert kept == 0


@pytest.mark.rule("SA-07", "XX-04")
async def test_a_report_needs_a_category_and_a_target_of_the_caller(safety: SafetyCalls) -> None:
    me, other, third = safety.members(3)
    mine, theirs = await safety.card(me, other), await safety.card(third, other)
    asked = ReportUserRequest(request_id=request_id(), target=mine)
    refused = await refusal(safety.stub.ReportUser(asked, metadata=me.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["category"])
    seen = {str(await refusal(safety.report(me, target))) for target in (theirs, Target(card_id=request_id()))}
    assert len(seen) == 1
    assert "TARGET_NOT_FOUND" in seen.pop()


@pytest.mark.rule("SA-07", "SA-03")
async def test_a_member_cannot_hide_the_reports_of_others_among_many_of_their_own(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    other, _ = await reported(safety)
    loud, third = safety.members(2)
    at_other, at_third = await safety.card(loud, other), await safety.card(loud, third, SERVER_TYPE_FRIEND)
    first = request_id()
    await safety.report(loud, at_other, request=first)
    several = [safety.report(loud, target) for target in (at_other, at_third) for _ in range(15)]
    results = await asyncio.gather(*map(outcome, several))
    assert sorted(results) == ["OK"] * 19 + ["TOO_MANY_REPORTS"] * 11
    assert await safety.report(loud, at_other, request=first)
    seen = [await refusal(safety.report(loud, target)) for target in (at_other, at_third)]
    assert (seen[0].code, list(seen[0].metadata)) == ("RESOURCE_EXHAUSTED", ["available_at"])
    assert str(seen[0]) == str(seen[1])
    assert {each.reporter_id for each in (await moderators.explain(other)).reports} > {loud.id}
    await safety.world.move_clock(timedelta(hours=24))
    assert await safety.report(loud, at_other)


@pytest.mark.rule("SA-05")
async def test_reports_and_appeals_about_one_member_share_one_case(safety: SafetyCalls, moderators: Moderators) -> None:
    other, *reporters = safety.members(6)
    targets = [await safety.card(each, other) for each in reporters]
    await asyncio.gather(
        *(safety.report(each, target) for each, target in zip(reporters, targets, strict=True) for _ in range(2)),
        safety.appeal(other),
    )
    known = await moderators.explain(other)
    assert len(known.cases) == 1
    assert (len(known.reports), len(known.appeals), known.cases[0].appealed) == (10, 1, True)
    assert {report.case_id for report in known.reports} == {known.cases[0].case_id}
    assert len(await safety.world.events(CaseOpened, known.cases[0].case_id)) == 1


@pytest.mark.rule("SA-05", "SA-01")
async def test_a_case_is_taken_by_one_moderator_and_decided_once(safety: SafetyCalls, moderators: Moderators) -> None:
    other, _ = await reported(safety)
    case_id = (await moderators.newest_case(other)).case_id
    admins = [safety.world.caller(roles=["admin"]) for _ in range(4)]
    results = await asyncio.gather(*(outcome(moderators.assign(case_id, each)) for each in admins))
    assert sorted(results) == ["CASE_ASSIGNED"] * 3 + ["OK"]
    first = admins[results.index("OK")]
    rest = [each for each in admins if each is not first]
    assert (await refusal(moderators.decide(case_id, DECISION_RESTRICT, rest[0]))).reason == "CASE_NOT_TAKEN"
    taken = await moderators.assign(case_id, rest[0], take_over=True)
    assert (taken.status, taken.moderator_id) == (CASE_STATUS_ASSIGNED, rest[0].id)
    assert (await refusal(moderators.decide(case_id, DECISION_RESTRICT, first))).reason == "CASE_NOT_TAKEN"
    decisions = (DECISION_DISMISS, DECISION_RESTRICT, DECISION_SUSPEND, DECISION_REDUCE_VISIBILITY)
    results = await asyncio.gather(*(outcome(moderators.decide(case_id, each, rest[0])) for each in decisions))
    assert sorted(results) == ["CASE_DECIDED"] * 3 + ["OK"]
    assert (await refusal(moderators.assign(case_id, rest[1], take_over=True))).reason == "CASE_DECIDED"
    (decided,) = await safety.world.events(CaseDecided, case_id)
    assert (decided.decision, decided.moderator_id) == (decisions[results.index("OK")], rest[0].id)
    assert len(await safety.world.events(CaseAssigned, case_id)) == 2
    await safety.world.drain()
    audited = await safety.world.superuser.fetch(
        "SELECT subject FROM safety.audit_logs WHERE aggregate_id = $1 ORDER BY number", UUID(case_id)
    )
    words = ["case_opened", "case_assigned", "case_assigned", "case_decided"]
    assert [row["subject"] for row in audited] == [f"unora.safety.v1.{word}" for word in words]


@pytest.mark.rule("SA-05", "BI-08")
async def test_a_repeated_decision_gets_its_answer_and_changes_nothing(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    other, _ = await reported(safety)
    case = await moderators.assign((await moderators.newest_case(other)).case_id)
    request = request_id()
    first = await moderators.decide(case.case_id, DECISION_RESTRICT, note="seen the card", request=request)
    again = await asyncio.gather(
        *(moderators.decide(case.case_id, DECISION_RESTRICT, note="seen the card", request=request) for _ in range(5))
    )
    assert all(each == first for each in again)
    assert (first.case.note, first.standing.restricted) == ("seen the card", True)
    assert await restriction_events(safety.world, other) == [(1, False, True, False)]


@pytest.mark.rule("SA-05", "SA-08")
async def test_without_an_appeal_decisions_add_up_and_a_dismissal_lifts_nothing(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    other, target = await reported(safety)
    await moderators.decide_newest_case(other, DECISION_DISMISS)
    assert await restriction_events(safety.world, other) == []
    reporter = safety.members(1)[0]
    target = await safety.card(reporter, other)
    for decision in (DECISION_REDUCE_VISIBILITY, DECISION_SUSPEND, DECISION_DISMISS, DECISION_SUSPEND):
        await safety.report(reporter, target)
        await moderators.decide_newest_case(other, decision)
    assert await restriction_events(safety.world, other) == [(1, True, False, False), (2, True, False, True)]
    assert [case.status for case in (await moderators.explain(other)).cases] == [CASE_STATUS_DECIDED] * 5


@pytest.mark.rule("SA-06", "SA-05")
async def test_after_an_appeal_the_decision_replaces_earlier_measures(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    other, _ = await reported(safety)
    await moderators.decide_newest_case(other, DECISION_SUSPEND)
    appeal_id = await safety.appeal(other, "it was my brother")
    case = await moderators.newest_case(other)
    assert (case.origin, case.appealed) == (CASE_ORIGIN_APPEAL, True)
    (event,) = await safety.world.events(AppealSubmitted, appeal_id)
    assert (event.user_id, event.case_id) == (other.id, case.case_id)
    assert (await moderators.explain(other)).appeals[0].text == "it was my brother"
    await moderators.decide_newest_case(other, DECISION_RESTRICT)
    await safety.appeal(other)
    await moderators.decide_newest_case(other, DECISION_DISMISS)
    assert await restriction_events(safety.world, other) == [
        (1, False, False, True),
        (2, False, True, False),
        (3, False, False, False),
    ]
    standing = (await moderators.explain(other)).standing
    assert (standing.reduced_visibility, standing.restricted, standing.suspended) == (False, False, False)


@pytest.mark.rule("SA-05", "SA-06")
async def test_a_moderator_cannot_lift_measures_because_of_an_appeal_they_have_not_seen(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    other, _ = await reported(safety)
    await moderators.decide_newest_case(other, DECISION_RESTRICT)
    reporter = safety.members(1)[0]
    await safety.report(reporter, await safety.card(reporter, other))
    case = await moderators.assign((await moderators.newest_case(other)).case_id)
    assert not case.appealed
    await safety.appeal(other)
    assert (await refusal(moderators.decide(case.case_id, DECISION_DISMISS))).reason == "CASE_NOT_TAKEN"
    assert (await moderators.explain(other)).standing.restricted
    assert [each.case_id for each in (await moderators.cases(100, status=CASE_STATUS_OPEN)).cases].count(
        case.case_id
    ) == 1
    taken = await moderators.assign(case.case_id)
    assert taken.appealed
    await safety.appeal(other)
    assert not (await moderators.decide(case.case_id, DECISION_DISMISS)).standing.restricted
    assert len(await safety.world.events(CaseOpened, case.case_id)) == 2


@pytest.mark.rule("SA-03", "SA-06")
async def test_the_answer_to_an_appeal_does_not_show_whether_there_is_a_case(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    reduced, _ = await reported(safety)
    await moderators.decide_newest_case(reduced, DECISION_REDUCE_VISIBILITY)
    under_way, _ = await reported(safety)
    unknown = safety.members(1)[0]
    for member in (reduced, under_way, unknown):
        for _ in range(3):
            assert await safety.appeal(member)
        refused = await refusal(safety.appeal(member))
        assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_APPEALS")
        assert list(refused.metadata) == ["available_at"]
    await safety.world.move_clock(timedelta(hours=24))
    assert await safety.appeal(unknown)


@pytest.mark.rule("SA-06")
async def test_concurrent_appeals_do_not_exceed_the_daily_limit(safety: SafetyCalls) -> None:
    member = safety.members(1)[0]
    results = await asyncio.gather(*(outcome(safety.appeal(member)) for _ in range(10)))
    assert sorted(results) == ["OK"] * 3 + ["TOO_MANY_APPEALS"] * 7
    blank = await refusal(safety.appeal(safety.members(1)[0], "   "))
    assert (blank.code, list(blank.violations)) == ("INVALID_ARGUMENT", ["text"])


@pytest.mark.rule("SA-05", "XX-03")
async def test_only_admins_moderate_and_not_their_own_case(safety: SafetyCalls, moderators: Moderators) -> None:
    other, _ = await reported(safety)
    case = await moderators.newest_case(other)
    for call in (
        moderators.assign(case.case_id, other),
        moderators.decide(case.case_id, DECISION_DISMISS, other),
        moderators.assign(case.case_id, safety.members(1)[0]),
    ):
        assert (await refusal(call)).reason == "ADMIN_ONLY"
    themselves = safety.world.caller(other.user, roles=["admin"])
    assert (await refusal(moderators.assign(case.case_id, themselves))).reason == "CASE_ABOUT_YOURSELF"
    for missing in (moderators.assign(request_id()), moderators.decide(request_id(), DECISION_DISMISS)):
        refused = await refusal(missing)
        assert (refused.code, refused.reason) == ("NOT_FOUND", "CASE_NOT_FOUND")


@pytest.mark.rule("SA-05")
async def test_the_queue_is_oldest_first_in_pages(safety: SafetyCalls, moderators: Moderators) -> None:
    members = [(await reported(safety))[0] for _ in range(5)]
    await moderators.decide_newest_case(members[1], DECISION_DISMISS)
    found, token = list[Case](), ""
    while True:
        page = await moderators.cases(3, token, CASE_STATUS_OPEN)
        found += page.cases
        token = page.next_page_token
        if not token:
            break
    ours = [case.user_id for case in found if case.user_id in {each.id for each in members}]
    assert ours == [member.id for member in members if member is not members[1]]
    assert {case.status for case in found} == {CASE_STATUS_OPEN}
    decided = await moderators.cases(100, status=CASE_STATUS_DECIDED)
    assert members[1].id in [case.user_id for case in decided.cases]
    strange = await refusal(moderators.cases(3, (await moderators.cases(3)).next_page_token, CASE_STATUS_OPEN))
    assert list(strange.violations) == ["page_token"]


@pytest.mark.rule("SA-02", "XX-04")
async def test_a_member_without_entries_is_answered_as_an_unknown_id(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    known, unknown = [await moderators.explain(each) for each in safety.members(2)]
    assert known == unknown
    assert not [*known.flags, *known.cases, *known.reports, *known.appeals]


@pytest.mark.rule("SA-05")
async def test_cases_that_are_not_decided_are_counted_by_what_opened_them(safety: SafetyCalls) -> None:
    app = safety.world.apps["safety"]
    await count(app)
    before = value(app, "unora_cases_open", kind="report")
    assert before is not None
    await reported(safety)
    await count(app)
    assert value(app, "unora_cases_open", kind="report") == before + 1
    assert value(app, "unora_flags_open") is not None
    assert value(app, "unora_cases_open", kind="appeal") is not None
