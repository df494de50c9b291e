"""MA-07, MA-04: slots follow the tier, and a limit never falls below the number of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import permutations

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, TIER_FREE, TIER_PLUS, TIER_PRO
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_WIPED,
    InterestClosed,
    InterestsWiped,
    InventoryChanged,
)
from unora.matching.v1.matching_service_pb2 import INTEREST_STATUS_WIPED, Inventory
from unora_testing.world import World

from tests.integration.matching.incoming_events import UseCases, tier_changed
from tests.integration.matching.people import People
from tests.integration.matching.test_rush import assert_sound, attempt
from tests.support import race, refusal


@pytest.mark.rule("MA-07")
async def test_a_higher_tier_opens_slots_at_once(world: World, people: People) -> None:
    member, partner, other = await people.members("free", "free", "free")
    await people.connect(member, partner)
    await people.wish(other, member)
    assert (await refusal(people.wish(member, other))).reason == "CAPACITY_FULL"
    await world.publish(tier_changed(member, 1, "plus", await world.now()))
    assert await people.inventory(member) == Inventory(tier=TIER_PLUS, active_connection_count=1, connection_limit=2)
    changed = (await world.events(InventoryChanged, member.id))[-1]
    assert (changed.tier, changed.connection_limit, changed.version) == (TIER_PLUS, 2, 3)
    assert (await people.wish(member, other)).HasField("connection")
    await assert_sound(people, [member, partner, other])


@pytest.mark.rule("MA-07", "MA-13")
async def test_a_lower_tier_keeps_connections_and_the_limit_falls_with_each_ending(
    world: World, people: People
) -> None:
    member, *partners = await people.members("pro", "pro", "pro", "pro")
    formed = [(await people.connect(partner, member)).connection_id for partner in partners]
    await world.publish(tier_changed(member, 5, "free", await world.now()))
    stranger = await people.member()
    await people.wish(stranger, member)
    for held in (3, 2, 1):
        shown = await people.inventory(member)
        assert shown == Inventory(tier=TIER_FREE, active_connection_count=held, connection_limit=held)
        assert (await refusal(people.wish(member, stranger))).reason == "CAPACITY_FULL"
        changed = (await world.events(InventoryChanged, member.id))[-1]
        assert (changed.active_connection_count, changed.connection_limit) == (held, held)
        await people.end(member if held % 2 else partners[held - 1], formed[held - 1])
    assert await people.inventory(member) == Inventory(tier=TIER_FREE, connection_limit=1)
    assert (await people.wish(member, stranger)).HasField("connection")
    await assert_sound(people, [member, *partners, stranger])


@pytest.mark.rule("MA-04", "MA-07")
@pytest.mark.parametrize(("to", "wiped"), [("free", True), ("plus", False)])
async def test_a_limit_that_falls_to_the_count_wipes_pending_interests(
    world: World, people: People, to: str, wiped: bool
) -> None:
    member, partner, admired = await people.members("pro", "free", "pro")
    await people.wish(member, partner, SERVER_TYPE_FRIEND)  # the connection makes it void; it looks pending
    await people.connect(partner, member)
    interest = (await people.wish(member, admired)).interest
    await people.wish(admired, member, SERVER_TYPE_FRIEND)
    await world.publish(tier_changed(member, 1, to, await world.now()))
    assert await people.statuses(member) == ["void", "matched", "wiped" if wiped else "pending"]
    assert await people.statuses(admired) == ["pending"]
    assert (await people.inventory(member)).pending_interest_count == (0 if wiped else 2)
    closures = [event.closure for event in await world.events(InterestClosed, interest.interest_id)]
    assert closures == [INTEREST_CLOSURE_WIPED] * wiped
    assert await people.wipes([member]) == [(member.id, 1)] * wiped
    if wiped:
        shown = [each.status for each in await people.sent(member)]
        assert [shown[0], shown[2]] == [INTEREST_STATUS_WIPED] * 2
        (event,) = await world.events(InterestsWiped, member.id)
        assert (event.connection_id, event.wiped_count, event.version) == ("", 1, 3)
        assert (await people.rows("SELECT connection_id FROM matching.interest_wipes WHERE user_id = $1", member.user))[
            0
        ]["connection_id"] is None
    await assert_sound(people, [member, partner, admired])


@pytest.mark.rule("MA-04", "MA-07")
async def test_a_full_member_is_not_wiped_again(world: World, people: People) -> None:
    member, *partners = await people.members("plus", "free", "free")
    for partner in partners:
        await people.connect(partner, member)
    await world.publish(tier_changed(member, 1, "free", await world.now()))
    assert len(await people.wipes([member])) == 1  # the one for the second connection
    assert len(await world.events(InterestsWiped, member.id)) == 1


@pytest.mark.rule("MA-07", "XX-02")
async def test_of_tiers_the_newest_counts(world: World, people: People) -> None:
    member = await people.member()
    at = await world.now()
    for version, to, expected in (
        (2, "pro", TIER_PRO),
        (1, "plus", TIER_PRO),
        (2, "free", TIER_PRO),
        (4, "plus", TIER_PLUS),
    ):
        await UseCases(people).change_tier(member, version, to)
        assert (await people.inventory(member)).tier == expected
    await world.publish(tier_changed(member, 3, "pro", at))
    assert (await people.inventory(member)).tier == TIER_PLUS
    versions = [event.version for event in await world.events(InventoryChanged, member.id)]
    assert versions == [1, 2]


@pytest.mark.rule("MA-06", "MA-07", "MA-02")
async def test_tiers_change_while_connections_form_and_end(people: People) -> None:
    members = await people.members("pro", "pro", "plus", "plus", "free", "free")
    use_cases = UseCases(people)

    async def end_one(version: int) -> None:
        for found in await people.connections(members[version % 6]):
            await people.end_directly(members[version % 6], found.connection_id)
            return

    work: list[Awaitable[object]] = [attempt(people, one, other, "growth") for one, other in permutations(members, 2)]
    work += [
        use_cases.change_tier(member, version, ("free", "plus", "pro")[(version + number) % 3])
        for version in range(1, 5)
        for number, member in enumerate(members)
    ]
    work += [end_one(version) for version in range(12)]
    work = [work[index] for index in sorted(range(len(work)), key=lambda index: (index * 37) % 101)]
    await asyncio.gather(*work)
    await assert_sound(people, members)
    for member in members:
        inventory = await people.inventory(member)
        assert inventory.active_connection_count <= inventory.connection_limit


@pytest.mark.rule("MA-04", "MA-11")
async def test_a_lower_tier_and_a_withdrawal_at_the_same_time_close_the_interest_once(
    world: World, people: People
) -> None:
    use_cases = UseCases(people)
    for turn in range(16):
        member, partner, other = await people.members("plus", "free", "free")
        await people.connect(partner, member)
        interest = (await people.wish_directly(member, other)).interest
        work: list[Awaitable[object]] = [
            people.withdraw_directly(member, interest.id),
            use_cases.change_tier(member, 1, "free"),
        ]
        await race(turn, work)
        status = (await people.statuses(member))[-1]
        assert status in {"withdrawn", "wiped"}
        assert await people.wipes([member]) == [(member.id, int(status == "wiped"))]
        assert len(await world.events(InterestClosed, str(interest.id))) == 1
        await assert_sound(people, [member, partner, other])
