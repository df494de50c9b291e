"""Flags: what counts, when a flag is raised, and that members do not see it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from math import log
from typing import Any
from uuid import UUID

import pytest
from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_FAILURE_EXPIRED,
)
from unora.identity.v1.events_pb2 import SessionOpened
from unora.safety.v1.events_pb2 import (
    DECISION_DISMISS,
    FLAG_PATTERN_BAD_FAITH_ENDINGS,
    FLAG_PATTERN_INTEREST_FLOOD,
    FLAG_PATTERN_MANY_BLOCKS,
    FLAG_PATTERN_MANY_REPORTS,
    FLAG_PATTERN_OUTLIER,
    FLAG_PATTERN_PAYMENT_ABUSE,
    FLAG_PATTERN_SHARED_DEVICE,
    FlagRaised,
)
from unora.safety.v1.moderation_service_pb2 import CASE_ORIGIN_FLAG, Flag, ListFlagsRequest
from unora_common.ids import uuid7
from unora_safety.domain.patterns import Finding, History, Pattern
from unora_safety.store import baselines
from unora_safety.use_cases.detection import raise_flags
from unora_testing.world import Caller, World

from tests.integration.safety.counted_events import bad_faith, blocked, failed, interest, reported, stamp
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("SA-04")


CASES = [
    pytest.param(interest, 12, timedelta(hours=1), FLAG_PATTERN_INTEREST_FLOOD, id="interests"),
    pytest.param(bad_faith, 2, timedelta(days=90), FLAG_PATTERN_BAD_FAITH_ENDINGS, id="endings"),
    pytest.param(blocked, 5, timedelta(days=30), FLAG_PATTERN_MANY_BLOCKS, id="blocks"),
    pytest.param(reported, 3, timedelta(days=30), FLAG_PATTERN_MANY_REPORTS, id="reports"),
    pytest.param(failed, 5, timedelta(hours=24), FLAG_PATTERN_PAYMENT_ABUSE, id="payments"),
]


@pytest.mark.parametrize(("make", "threshold", "window", "pattern"), CASES)
async def test_a_pattern_is_flagged_at_its_threshold_and_never_before(
    world: World, moderators: Moderators, make: Any, threshold: int, window: timedelta, pattern: Any
) -> None:
    now, (member, spread) = await world.now(), [world.caller() for _ in range(2)]
    step = window / (threshold - 1) + timedelta(microseconds=1)
    await world.publish(
        *(make(spread, now - each * step) for each in range(threshold))
    )  # the first is just outside the window
    await world.publish(*(make(member, now - timedelta(seconds=each)) for each in range(threshold - 1)))
    assert await moderators.flags_of(member) == []
    await world.publish(make(member, now))
    (flag,) = await moderators.flags_of(member)
    assert (flag.pattern, flag.score, len(flag.evidence_ids)) == (pattern, 1.0, threshold)
    assert dict(flag.evidence_numbers) == {
        "count": threshold,
        "threshold": threshold,
        "window_hours": window / timedelta(hours=1),
    }
    (event,) = await world.events(FlagRaised, flag.flag_id)
    assert (event.user_id, event.pattern) == (member.id, pattern)
    case = await moderators.newest_case(member)
    assert (case.case_id, case.origin) == (flag.case_id, CASE_ORIGIN_FLAG)
    assert await moderators.flags_of(spread) == []
    (count,) = [each for each in (await moderators.explain(member)).counts if each.pattern == pattern]
    assert (count.count, count.threshold, count.enabled) == (threshold, threshold, True)


async def test_late_events_out_of_order_count_at_the_time_they_happened(world: World, moderators: Moderators) -> None:
    now, member = await world.now(), world.caller()
    old = [failed(member, now - timedelta(hours=30) - timedelta(minutes=each)) for each in range(5)]
    for event in [old[3], failed(member, now), old[0], old[4], old[1]]:
        await world.publish(event)
    assert await moderators.flags_of(member) == []
    await world.publish(old[2])
    (flag,) = await moderators.flags_of(member)
    assert set(flag.evidence_ids) == {event.payment_id for event in old}


async def test_one_person_counts_once_however_often_they_block_or_report(world: World, moderators: Moderators) -> None:
    now, member, one = await world.now(), world.caller(), request_id()
    connection = request_id()
    await world.publish(
        *(reported(member, now - timedelta(minutes=each), one) for each in range(6)),
        *(blocked(member, now - timedelta(minutes=each), one) for each in range(6)),
        *(bad_faith(member, now, connection=connection) for _ in range(3)),
        *(bad_faith(member, now, converted=False) for _ in range(3)),
        *(failed(member, now, PAYMENT_FAILURE_EXPIRED) for _ in range(6)),
    )
    assert await moderators.flags_of(member) == []


async def test_reports_by_three_people_through_the_service_raise_one_flag(
    safety: SafetyCalls, moderators: Moderators
) -> None:
    other, *reporters = safety.members(5)
    for each in reporters:
        target = await safety.card(each, other)
        await asyncio.gather(*(safety.report(each, target) for _ in range(2)))
    await safety.world.drain()
    (flag,) = await moderators.flags_of(other)
    assert flag.pattern == FLAG_PATTERN_MANY_REPORTS
    assert set(flag.evidence_ids) <= {each.id for each in reporters}
    assert len((await moderators.explain(other)).cases) == 1


async def test_a_flag_is_raised_again_only_by_events_after_the_decision(world: World, moderators: Moderators) -> None:
    now, member = await world.now(), world.caller()
    await world.publish(*(reported(member, now) for _ in range(5)))
    await world.publish(reported(member, now))
    assert len(await moderators.flags_of(member)) == 1
    await moderators.decide_newest_case(member, DECISION_DISMISS)
    assert await moderators.flags_of(member) == []
    await world.move_clock(timedelta(minutes=1))
    later = await world.now()
    await world.publish(reported(member, now), *(reported(member, later) for _ in range(2)))
    assert await moderators.flags_of(member) == []
    await world.publish(reported(member, later))
    (flag,) = await moderators.flags_of(member)
    assert flag.evidence_numbers["count"] == 3
    assert len(await moderators.flags_of(member, closed=True)) == 2


async def test_all_accounts_of_one_device_are_flagged(world: World, moderators: Moderators) -> None:
    now, digest = await world.now(), uuid7().bytes * 2
    members = [world.caller() for _ in range(3)]
    apart = world.caller()

    def opened(member: Caller, device: bytes, version: int = 2) -> SessionOpened:
        return SessionOpened(
            user_id=member.id, version=version, session_id=request_id(), occurred_at=stamp(now), device_digest=device
        )

    await world.publish(
        opened(members[0], digest), opened(members[1], digest), opened(apart, b""), opened(apart, b"x", 3)
    )
    assert await moderators.flags_of(members[0]) == []
    await world.publish(opened(members[2], digest))
    for member in members:
        (flag,) = await moderators.flags_of(member)
        assert flag.pattern == FLAG_PATTERN_SHARED_DEVICE
        assert set(flag.evidence_ids) == {each.id for each in members if each is not member}
    assert await moderators.flags_of(apart) == []


async def test_a_change_of_a_rule_takes_effect_at_once(world: World, moderators: Moderators) -> None:
    now, member = await world.now(), world.caller()
    rule = "UPDATE safety.flag_rules SET enabled = $1, threshold = $2 WHERE pattern = 'many_reports'"
    try:
        await world.superuser.execute(rule, False, 3.0)
        await world.publish(*(reported(member, now) for _ in range(4)))
        assert await moderators.flags_of(member) == []
        await world.superuser.execute(rule, True, 6.0)
        await world.publish(reported(member, now))
        assert await moderators.flags_of(member) == []
        await world.publish(reported(member, now))
        assert len(await moderators.flags_of(member)) == 1
    finally:
        await world.superuser.execute(rule, True, 3.0)


@pytest.mark.rule("SA-09")
async def test_activity_far_from_that_of_others_is_flagged_and_ordinary_activity_is_not(
    world: World, moderators: Moderators
) -> None:
    today = (await world.now()).date()
    await world.superuser.execute("TRUNCATE safety.activity, safety.baselines")
    await world.superuser.execute(
        """INSERT INTO safety.activity (user_id, kind, day, count)
        SELECT gen_random_uuid(), 'endings', $1, 1 + i % 4 FROM generate_series(1, 80) i""",
        today,
    )
    usual, wild = world.caller(), world.caller()
    await world.superuser.executemany(
        "INSERT INTO safety.activity VALUES ($1, 'endings', $2, $3)", [(usual.user, today, 11), (wild.user, today, 90)]
    )
    await world.drain()  # measures the baselines
    mark = "INSERT INTO safety.to_examine VALUES ($1, 1, '-infinity')"
    for each in (usual, wild):
        await world.superuser.execute(mark, each.user)
    await world.drain()
    assert await moderators.flags_of(usual) == []
    (flag,) = await moderators.flags_of(wild)
    assert flag.pattern == FLAG_PATTERN_OUTLIER
    assert flag.score > 6
    assert dict(flag.evidence_numbers) == {"endings": 90, "threshold": 6}
    await moderators.decide_newest_case(wild, DECISION_DISMISS)
    await world.superuser.execute(mark, wild.user)
    await world.drain()
    assert await moderators.flags_of(wild) == []  # judged: the same week does not count again


async def test_twenty_concurrent_attempts_raise_one_flag(world: World, moderators: Moderators) -> None:
    member, now = world.caller(), await world.now()
    history = History(member.user, now)
    found = [Finding(Pattern.MANY_BLOCKS, 1.0, (uuid7(),), {"count": 5.0})]
    database = world.apps["safety"].database

    async def once() -> int:
        async with database.transaction() as tx:
            return await raise_flags(tx, history, found)

    assert sorted(await asyncio.gather(*(once() for _ in range(20)))) == [0] * 19 + [1]
    assert len(await moderators.flags_of(member)) == 1
    await moderators.decide_newest_case(member, DECISION_DISMISS)
    assert await once() == 0  # the history was read before the decision


async def test_rows_that_no_window_contains_are_deleted(world: World) -> None:
    member, now = world.caller(), await world.now()
    await world.publish(interest(member, now), bad_faith(member, now))
    count = "SELECT array_agg(pattern) FROM safety.sightings WHERE user_id = $1"
    await world.move_clock(timedelta(days=16))
    assert await world.superuser.fetchval(count, member.user) == ["bad_faith_endings"]
    assert not await world.superuser.fetchval(
        "SELECT count(*) FROM safety.activity WHERE user_id = $1", UUID(member.id)
    )


@pytest.mark.rule("SA-02", "SA-03")
async def test_flags_and_their_cases_change_no_answer_that_the_member_can_see(
    world: World, safety: SafetyCalls, moderators: Moderators
) -> None:
    member, other = safety.members(2)
    await safety.block(member, await safety.connection(member, other))
    before = await safety.list_blocks(member)
    now = await world.now()
    await world.publish(*(reported(member, now) for _ in range(3)), *(blocked(member, now) for _ in range(5)))
    assert len(await moderators.flags_of(member)) == 2
    assert await safety.list_blocks(member) == before
    asked = moderators.stub.ListFlags(ListFlagsRequest(), metadata=member.metadata)
    assert (await refusal(asked)).reason == "ADMIN_ONLY"


async def test_flags_of_all_members_are_listed_newest_first_in_pages(world: World, moderators: Moderators) -> None:
    members, now = [world.caller() for _ in range(4)], await world.now()
    for member in members:
        await world.publish(*(bad_faith(member, now) for _ in range(2)))
    found, token = list[Flag](), ""
    while True:
        page = await moderators.flags(3, token, FLAG_PATTERN_BAD_FAITH_ENDINGS)
        found += page.flags
        token = page.next_page_token
        if not token:
            break
    ours = [flag.user_id for flag in found if flag.user_id in {member.id for member in members}]
    assert ours == [member.id for member in reversed(members)]
    await moderators.decide_newest_case(members[0], DECISION_DISMISS)
    ids = [flag.user_id for flag in (await moderators.flags(100)).flags]
    assert members[0].id not in ids
    ids = [flag.user_id for flag in (await moderators.flags(100, closed=True)).flags]
    assert members[0].id in ids


@pytest.mark.rule("SA-09")
async def test_of_many_members_a_sample_says_what_is_usual_and_of_few_all(world: World) -> None:
    """4,000 members with 1 to 9 interests a day: the median is 5."""
    await world.superuser.execute("TRUNCATE safety.activity, safety.baselines")
    await world.superuser.execute(
        """INSERT INTO safety.activity (user_id, kind, day, count)
        SELECT gen_random_uuid(), 'interests', (clock.now() AT TIME ZONE 'UTC')::date, 1 + n % 9
        FROM generate_series(1, 4000) AS s (n)"""
    )
    for sample, most in ((4000, 4000), (300, 600)):
        async with world.apps["safety"].database.transaction() as tx:
            await baselines.measure(tx, timedelta(days=7), timedelta(0), sample)
        (measured,) = await world.superuser.fetch("SELECT members, median FROM safety.baselines")
        assert measured["members"] <= most
        assert log(1 + 4) <= measured["median"] <= log(1 + 6)
        assert sample != 4000 or measured["members"] == 4000
    await world.superuser.execute("TRUNCATE safety.activity, safety.baselines")
