"""A moderator is a member too, and does not see what safety knows about them (SA-02, SA-07)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unora_testing.world import Caller

from tests.integration.protection.scenario import Scenario
from tests.support import refusal


async def read_all_pages(ask: Callable[[int, str], Awaitable[Any]], what: str) -> list[Any]:
    """All pages of a list."""
    found, token = list[Any](), ""
    while True:
        page = await ask(100, token)
        found += getattr(page, what)
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.rule("SA-02", "SA-07")
async def test_a_moderator_cannot_find_out_who_reported_or_blocked_them(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    card = scenario.by_card((await scenario.cards(one))[other.id])
    await scenario.safety.report(one, card)
    for each in scenario.crowd[:2]:  # as many leave as join, so that a batch has all others
        await scenario.pool.leave(each)
        member = await scenario.pool.member()
        await scenario.safety.report(member, scenario.by_card((await scenario.cards(member))[other.id]))
    await scenario.safety.block(one, card)
    await scenario.world.drain()
    themselves: Caller = scenario.world.caller(other.user, roles=["admin"])
    case = await scenario.moderators.newest_case(other)
    entries = await scenario.moderators.find_entries(member_id=other.id, source_context="safety")
    assert {"MemberReported", "MemberBlocked", "CaseOpened"} <= {each.event_name for each in entries}

    moderators = scenario.moderators
    assert case.case_id in {each.case_id for each in await read_all_pages(moderators.cases, "cases")}
    moderators.admin = themselves
    assert (await refusal(moderators.explain(other))).reason == "CASE_ABOUT_YOURSELF"
    assert other.id not in {each.user_id for each in await read_all_pages(moderators.cases, "cases")}
    assert other.id not in {each.user_id for each in await read_all_pages(moderators.flags, "flags")}
    for wanted in (
        {"member_id": other.id, "source_context": "safety"},
        {"member_id": one.id, "source_context": "safety"},
        {"aggregate_id": case.case_id},
        {"event_name": "MemberReported"},
    ):
        for entry in await moderators.find_entries(size=50, **wanted):
            assert other.id not in entry.event_json
    assert (await refusal(moderators.assign(case.case_id))).reason == "CASE_ABOUT_YOURSELF"
    # They see what they do as a moderator, and as any member.
    assert await moderators.find_entries(member_id=other.id, source_context="identity")


async def search_as(scenario: Scenario, asks: Caller, size: int = 50, **wanted: Any) -> list[dict[str, Any]]:
    """All rows that a search of the audit log shows to this moderator. Every page but the last is full."""
    scenario.moderators.admin, found, token = asks, list[dict[str, Any]](), ""
    while True:
        page = await scenario.moderators.search(size, token, **wanted)
        found += [{"name": entry.event_name, **json.loads(entry.event_json)} for entry in page.entries]
        token = page.next_page_token
        assert len(page.entries) == size or not token
        if not token:
            return found


@pytest.mark.rule("MA-09", "MA-10", "MA-11", "SA-03")
async def test_the_log_shows_a_moderator_nothing_that_a_member_may_not_know(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    admirer, loved = scenario.crowd[:2]
    outsider, themselves = scenario.moderators.admin, scenario.world.caller(other.user, roles=["admin"])
    await scenario.send_interest(admirer, other)
    await scenario.send_interest(other, loved)
    await scenario.safety.block(loved, scenario.by_card((await scenario.cards(loved))[other.id]))
    connection = await scenario.connect(one, other)
    await scenario.safety.block(one, scenario.by_connection(connection))
    await scenario.world.drain()
    about: dict[str, Any] = {"member_id": other.id, "source_context": "matching"}
    names = {each["name"] for each in await search_as(scenario, outsider, **about)}
    assert {"InterestSent", "InterestClosed", "InterestsWiped", "ConnectionEnded"} <= names

    ending: dict[str, Any] = {"aggregate_id": connection.connection_id, "event_name": "ConnectionEnded"}
    for size in (1, 50):
        seen = await search_as(scenario, themselves, size, **about)
        assert {each["name"] for each in seen} == {"InterestSent", "ConnectionFormed", "InventoryChanged"}
        assert {each["sender_id"] for each in seen if each["name"] == "InterestSent"} == {other.id}
        assert await search_as(scenario, themselves, size, **ending) == []


@pytest.mark.rule("SA-02", "SA-07", "XX-04")
async def test_no_page_and_no_count_shows_a_moderator_who_reported_or_blocked_them(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    outsider, themselves = scenario.moderators.admin, scenario.world.caller(other.user, roles=["admin"])
    cards = await scenario.cards(one)
    for each in (other, scenario.crowd[0], other):
        await scenario.safety.report(one, scenario.by_card(cards[each.id]))
    await scenario.safety.block(one, scenario.by_card(cards[other.id]))
    await scenario.world.drain()
    by_one: dict[str, Any] = {"member_id": one.id, "source_context": "safety"}
    assert len(await search_as(scenario, outsider, 1, **by_one)) == 4
    (seen,) = await search_as(scenario, themselves, 1, **by_one)
    assert seen["reported_id"] == scenario.crowd[0].id
    for asks, blocks, reports in ((outsider, 1, 3), (themselves, 0, 1)):
        scenario.moderators.admin = asks
        known = await scenario.moderators.explain(one)
        assert (known.blocks_made, known.reports_made) == (blocks, reports)
