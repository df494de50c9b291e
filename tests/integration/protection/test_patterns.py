"""Flags by real actions of members; only moderators see them (SA-02, SA-04)."""

from __future__ import annotations

import pytest
from unora.billing.v1.events_pb2 import ProtectionClosed
from unora.identity.v1.events_pb2 import SessionOpened
from unora.safety.v1.events_pb2 import (
    FLAG_PATTERN_BAD_FAITH_ENDINGS,
    FLAG_PATTERN_INTEREST_FLOOD,
    FLAG_PATTERN_MANY_BLOCKS,
    FLAG_PATTERN_MANY_REPORTS,
    FLAG_PATTERN_SHARED_DEVICE,
    FlagPattern,
)
from unora.safety.v1.moderation_service_pb2 import Flag
from unora_testing.world import Caller

from tests.integration.discovery.pool import ALL
from tests.integration.protection.scenario import Member, Scenario

pytestmark = pytest.mark.rule("SA-04", "SA-02")


async def flag(scenario: Scenario, member: Caller, pattern: FlagPattern.ValueType) -> Flag:
    """The one open flag of a member."""
    (found,) = await scenario.moderators.flags_of(member)
    assert found.pattern == pattern
    assert (await scenario.moderators.newest_case(member)).case_id == found.case_id
    return found


async def members_who_see(scenario: Scenario, member: Member, count: int) -> list[Caller]:
    """`count` other members who have a card of this member."""
    others = await scenario.pool.members(count)
    for other in others:
        assert member.id in await scenario.cards(other)
    return others


async def test_a_flood_of_interests_is_flagged(scenario: Scenario) -> None:
    await scenario.pool.empty()
    member = await scenario.add_member(*ALL)
    sent = 0
    for server in ALL:
        await scenario.pool.members(5, servers=[server])
        for card in (await scenario.cards(member, server)).values():
            assert bool(await scenario.moderators.flags_of(member)) is (sent >= 12)
            await scenario.matches.send(member, card.card_id)
            sent += 1
            if sent >= 11:
                await scenario.world.drain()
    before = await scenario.read_all(member)
    found = await flag(scenario, member, FLAG_PATTERN_INTEREST_FLOOD)
    assert found.evidence_numbers["count"] == 12
    kept = {each.interest_id for each in await scenario.matches.sent(member)}
    assert set(found.evidence_ids) < kept
    assert await scenario.read_all(member) == before


async def test_many_blocks_and_many_reports_are_flagged(scenario: Scenario) -> None:
    await scenario.pool.empty()
    member = await scenario.add_member()
    others = await members_who_see(scenario, member, 5)
    before = await scenario.read_all(member)
    for number, other in enumerate(others, 1):
        card = (await scenario.cards(other))[member.id]
        await scenario.safety.block(other, scenario.by_card(card))
        await scenario.safety.block(other, scenario.by_card(card))  # a second time: still one person
        await scenario.world.drain()
        assert bool(await scenario.moderators.flags_of(member)) is (number == 5)
    found = await flag(scenario, member, FLAG_PATTERN_MANY_BLOCKS)
    assert set(found.evidence_ids) == {other.id for other in others}
    for number, other in enumerate(others[:3], 1):
        for _ in range(2):
            await scenario.safety.report(other, scenario.by_card((await scenario.cards(other))[member.id]))
        await scenario.world.drain()
        assert len(await scenario.moderators.flags_of(member)) == (2 if number == 3 else 1)
    assert {each.pattern for each in await scenario.moderators.flags_of(member)} == {
        FLAG_PATTERN_MANY_BLOCKS,
        FLAG_PATTERN_MANY_REPORTS,
    }
    assert len({each.case_id for each in await scenario.moderators.flags_of(member)}) == 1
    assert await scenario.read_all(member) == before


@pytest.mark.rule("XX-01")
async def test_several_accounts_of_one_device_are_flagged(scenario: Scenario) -> None:
    device = "device-7f3a-of-a-shared-phone"
    members = [await scenario.sign_in(device=device) for _ in range(2)]
    await scenario.sign_in(members[0].phone, device)  # a second time: no further account
    await scenario.world.drain()
    for member in members:
        assert not await scenario.moderators.flags_of(member)
    members.append(await scenario.sign_in(device=device))
    await scenario.world.drain()
    for member in members:
        found = await flag(scenario, member, FLAG_PATTERN_SHARED_DEVICE)
        assert set(found.evidence_ids) == {each.id for each in members} - {member.id}
        sessions = await scenario.reads(member)["sessions"]()
        assert device not in str(sessions)
    digests = {
        each.device_digest for member in members for each in await scenario.world.events(SessionOpened, member.id)
    }
    (digest,) = digests
    assert len(digest) == 32
    assert device.encode() not in digest


async def test_ends_in_bad_faith_are_flagged(scenario: Scenario) -> None:
    """Twice a partner pays for a recovery, and the member ends the connection within a day."""
    partner, member = await scenario.add_pair()
    for ended in (1, 2):
        connection = await scenario.connect(partner, member)
        streak_id = (await scenario.streak(member, connection.connection_id)).streak_id
        await scenario.check_in(streak_id, member)
        await scenario.next_day(member, connection.connection_id)
        await scenario.recover(partner, streak_id)
        await scenario.matches.end(member, connection.connection_id)
        await scenario.world.drain()
        (closed,) = [
            each
            for each in await scenario.world.events(ProtectionClosed)
            if each.connection_id == connection.connection_id
        ]
        assert closed.converted
        if ended == 1:
            assert not await scenario.moderators.flags_of(member)
            await scenario.pool.leave(partner)
            partner = await scenario.add_member()
            await scenario.much_later(member)
    found = await flag(scenario, member, FLAG_PATTERN_BAD_FAITH_ENDINGS)
    assert found.evidence_numbers["count"] == 2
    assert not await scenario.moderators.flags_of(partner)
