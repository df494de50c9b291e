"""A moderator is a member too: what safety knows of them is another's to see (SA-02, SA-07)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unora_local.inprocess import Caller

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
    await town.world.settle()
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
