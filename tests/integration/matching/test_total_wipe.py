"""MA-04, MA-05: when the last slot is taken, the pending interests are wiped."""

from __future__ import annotations

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH, SERVER_TYPE_PARTNER
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_WIPED,
    InterestClosed,
    InterestSent,
    InterestsWiped,
    InventoryChanged,
)
from unora.matching.v1.matching_service_pb2 import INTEREST_STATUS_MATCHED, INTEREST_STATUS_WIPED
from unora_common.ids import uuid7
from unora_matching.domain.interests import ResolvedCard
from unora_matching.use_cases.interests import send_interest
from unora_testing.world import World

from tests.integration.matching.people import POLICY, People


@pytest.mark.rule("MA-04")
async def test_the_last_slot_wipes_what_its_owner_sent_in_all_servers_and_nothing_else(
    world: World, people: People
) -> None:
    full, partner, friend, admirer = await people.members("free", "plus", "pro", "pro")
    sent = [
        (await people.wish(full, friend, SERVER_TYPE_PARTNER)).interest,
        (await people.wish(full, friend, SERVER_TYPE_FRIEND)).interest,
        (await people.wish(full, admirer, SERVER_TYPE_GROWTH)).interest,
    ]
    await people.wish(admirer, full, SERVER_TYPE_PARTNER)
    await people.wish(partner, friend, SERVER_TYPE_PARTNER)
    connection = await people.connect(full, partner)

    assert await people.statuses(full) == ["wiped"] * 3 + ["matched"]
    assert await people.statuses(admirer) == ["pending"]
    assert sorted(await people.statuses(partner)) == ["matched", "pending"]
    assert await people.wipes([full, partner, friend, admirer]) == [(full.id, 3)]
    (wipe,) = await people.rows("SELECT * FROM matching.interest_wipes WHERE user_id = $1", full.user)
    assert str(wipe["connection_id"]) == connection.connection_id

    shown = [interest.status for interest in await people.sent(full)]
    assert shown == [INTEREST_STATUS_MATCHED] + [INTEREST_STATUS_WIPED] * 3
    assert (await people.inventory(full)).pending_interest_count == 0
    closed = await world.events(InterestClosed, *(interest.interest_id for interest in sent))
    assert [event.closure for event in closed] == [INTEREST_CLOSURE_WIPED] * 3
    (changed,) = await world.events(InventoryChanged, full.id)
    (wiped,) = await world.events(InterestsWiped, full.id)
    assert (changed.version, wiped.version, wiped.wiped_count) == (1, 2, 3)
    assert wiped.connection_id == connection.connection_id
    assert await world.events(InterestsWiped, partner.id) == []


@pytest.mark.rule("MA-04")
async def test_both_members_are_wiped_if_it_takes_the_last_slot_of_both(people: People) -> None:
    first, second, others = await people.member(), await people.member(), await people.members("pro", "pro")
    await people.wish(first, others[0])
    for other in others:
        await people.wish(second, other)
    await people.connect(first, second)
    assert sorted(await people.wipes([first, second])) == sorted([(first.id, 1), (second.id, 2)])


@pytest.mark.rule("MA-04")
async def test_a_wipe_of_nothing_is_logged_too(people: People) -> None:
    first, second = await people.members("free", "free")
    await people.connect(first, second)
    assert sorted(await people.wipes([first, second])) == sorted([(first.id, 0), (second.id, 0)])


@pytest.mark.rule("MA-04")
async def test_while_a_slot_is_open_nothing_is_wiped(people: People) -> None:
    member, *partners = await people.members("plus", "pro", "pro")
    admired = await people.member("pro")
    await people.wish(member, admired)
    await people.connect(member, partners[0])
    assert await people.statuses(member) == ["pending", "matched"]
    assert await people.wipes([member]) == []
    await people.connect(member, partners[1])
    assert await people.statuses(member) == ["wiped", "matched", "matched"]
    assert await people.wipes([member]) == [(member.id, 1)]


@pytest.mark.rule("MA-05")
async def test_a_wiped_interest_never_matches(people: People) -> None:
    wiped, partner, admired = await people.members("free", "free", "pro")
    await people.wish(wiped, admired)
    connection = await people.connect(wiped, partner)
    await people.end(wiped, connection.connection_id)  # a slot is open again
    assert not (await people.wish(admired, wiped)).HasField("connection")
    assert (await people.wish(wiped, admired)).HasField("connection")  # only a new one matches
    assert await people.statuses(wiped) == ["wiped", "matched", "matched"]


@pytest.mark.rule("MA-04", "MA-11", "XX-04")
async def test_a_wipe_does_not_reveal_which_interests_were_void(people: People) -> None:
    member, partner, last, admired = await people.members("plus", "pro", "pro", "pro")
    await people.wish(member, partner, SERVER_TYPE_FRIEND)  # the first connection makes it void
    await people.wish(member, admired, SERVER_TYPE_FRIEND)
    await people.connect(member, partner)
    await people.wish(member, partner, SERVER_TYPE_GROWTH)  # void at once
    await people.wish(member, last, SERVER_TYPE_FRIEND)  # the last connection makes it void
    assert (await people.inventory(member)).pending_interest_count == 4
    await people.connect(member, last)
    assert await people.statuses(member) == ["void", "wiped", "matched", "void", "void", "matched"]
    shown = [interest.status for interest in reversed(await people.sent(member))]
    matched, wiped = INTEREST_STATUS_MATCHED, INTEREST_STATUS_WIPED
    assert shown == [wiped, wiped, matched, wiped, wiped, matched]
    assert (await people.inventory(member)).pending_interest_count == 0
    assert await people.wipes([member]) == [(member.id, 1)]


@pytest.mark.rule("MA-04", "XX-02")
async def test_a_crash_before_the_commit_changes_nothing(world: World, people: People) -> None:
    first, second, other = await people.members("free", "free", "pro")
    mine = (await people.wish(first, other)).interest
    await people.wish(second, first)
    shown = [await people.all_that_is_shown(member) for member in (first, second)]

    async def crash() -> None:
        async with people.database.transaction(first.user) as tx:
            sent = await send_interest(tx, first.user, ResolvedCard(uuid7(), second.user, "partner"), POLICY)
            assert sent.connection is not None
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await crash()
    assert [await people.all_that_is_shown(member) for member in (first, second)] == shown
    assert await people.statuses(first) == ["pending"]
    assert await people.wipes([first, second]) == []
    assert await world.events(InventoryChanged, first.id, second.id) == []
    assert len(await world.events(InterestSent, mine.interest_id)) == 1
    assert (await people.wish(first, second)).HasField("connection")
