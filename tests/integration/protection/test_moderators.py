"""A moderator is a member too: what safety knows of them is another's to see (SA-02, SA-07)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unora_testing.world import Caller

from tests.integration.protection.town import Town
from tests.support import refusal


async def everything(ask: Callable[[int, str], Awaitable[Any]], what: str) -> list[Any]:
    """All pages of a list."""
    found, token = list[Any](), ""
    while True:
        page = await ask(100, token)
        found += getattr(page, what)
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.rule("SA-02", "SA-07")
async def test_nobody_learns_from_the_queue_or_the_log_who_reported_or_blocked_them(town: Town) -> None:
    one, other = await town.couple()
    card = town.by_card((await town.cards(one))[other.id])
    await town.meetings.report(one, card)
    for each in town.crowd[:2]:  # as many leave as come, so that a batch holds everybody
        await town.pool.leave(each)
        who = await town.pool.member()
        await town.meetings.report(who, town.by_card((await town.cards(who))[other.id]))
    await town.meetings.block(one, card)
    await town.world.drain()
    themselves: Caller = town.world.caller(other.user, roles=["admin"])
    case = await town.office.case_of(other)
    by_office = await town.office.found(member_id=other.id, source_context="safety")
    assert {"MemberReported", "MemberBlocked", "CaseOpened"} <= {each.event_name for each in by_office}

    office = town.office
    assert case.case_id in {each.case_id for each in await everything(office.cases, "cases")}
    office.admin = themselves
    assert (await refusal(office.explain(other))).reason == "CASE_ABOUT_YOURSELF"
    assert other.id not in {each.user_id for each in await everything(office.cases, "cases")}
    assert other.id not in {each.user_id for each in await everything(office.flags, "flags")}
    for wanted in (
        {"member_id": other.id, "source_context": "safety"},
        {"member_id": one.id, "source_context": "safety"},
        {"aggregate_id": case.case_id},
        {"event_name": "MemberReported"},
    ):
        for entry in await office.found(size=50, **wanted):
            assert other.id not in entry.event_json
    assert (await refusal(office.assign(case.case_id))).reason == "CASE_ABOUT_YOURSELF"
    # What they do as a moderator, and as any member, is there for them to see.
    assert await office.found(member_id=other.id, source_context="identity")


async def log(town: Town, asks: Caller, size: int = 50, **wanted: Any) -> list[dict[str, Any]]:
    """All that a search of the audit log gives to somebody; every page but the last is full."""
    town.office.admin, found, token = asks, list[dict[str, Any]](), ""
    while True:
        page = await town.office.search(size, token, **wanted)
        found += [{"name": entry.event_name, **json.loads(entry.event_json)} for entry in page.entries]
        token = page.next_page_token
        assert len(page.entries) == size or not token
        if not token:
            return found


@pytest.mark.rule("MA-09", "MA-10", "MA-11", "SA-03")
async def test_the_log_tells_a_moderator_nothing_that_a_member_may_not_know(town: Town) -> None:
    one, other = await town.couple()
    admirer, loved = town.crowd[:2]
    outsider, themselves = town.office.admin, town.world.caller(other.user, roles=["admin"])
    await town.wish(admirer, other)
    await town.wish(other, loved)
    await town.meetings.block(loved, town.by_card((await town.cards(loved))[other.id]))
    connection = await town.connect(one, other)
    await town.meetings.block(one, town.by_connection(connection))
    await town.world.drain()
    about: dict[str, Any] = {"member_id": other.id, "source_context": "matching"}
    told = {each["name"] for each in await log(town, outsider, **about)}
    assert {"InterestSent", "InterestClosed", "InterestsWiped", "ConnectionEnded"} <= told

    ending: dict[str, Any] = {"aggregate_id": connection.connection_id, "event_name": "ConnectionEnded"}
    for size in (1, 50):
        seen = await log(town, themselves, size, **about)
        assert {each["name"] for each in seen} == {"InterestSent", "ConnectionFormed", "InventoryChanged"}
        assert {each["sender_id"] for each in seen if each["name"] == "InterestSent"} == {other.id}
        assert await log(town, themselves, size, **ending) == []


@pytest.mark.rule("SA-02", "SA-07", "XX-04")
async def test_no_page_and_no_count_tells_a_moderator_who_reported_or_blocked_them(town: Town) -> None:
    one, other = await town.couple()
    outsider, themselves = town.office.admin, town.world.caller(other.user, roles=["admin"])
    cards = await town.cards(one)
    for each in (other, town.crowd[0], other):
        await town.meetings.report(one, town.by_card(cards[each.id]))
    await town.meetings.block(one, town.by_card(cards[other.id]))
    await town.world.drain()
    by_one: dict[str, Any] = {"member_id": one.id, "source_context": "safety"}
    assert len(await log(town, outsider, 1, **by_one)) == 4
    (seen,) = await log(town, themselves, 1, **by_one)
    assert seen["reported_id"] == town.crowd[0].id
    for asks, blocks, reports in ((outsider, 1, 3), (themselves, 0, 1)):
        town.office.admin = asks
        known = await town.office.explain(one)
        assert (known.blocks_made, known.reports_made) == (blocks, reports)
