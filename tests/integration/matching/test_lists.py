"""Pages of interests and connections, and the pair for other contexts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER, TIER_FREE, TIER_PRO
from unora.matching.v1.matching_service_pb2 import (
    CONNECTION_STATUS_ACTIVE,
    CONNECTION_STATUS_ENDED,
    Inventory,
    ListConnectionsRequest,
    ListSentInterestsRequest,
)
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora_common.ids import uuid7
from unora_testing.world import Caller, World

from tests.integration.matching.people import People
from tests.support import refusal

FetchPage = Callable[[int, str], Awaitable[tuple[list[str], str]]]


def interests_of(people: People, member: Caller) -> FetchPage:
    async def fetch(size: int, token: str) -> tuple[list[str], str]:
        request = ListSentInterestsRequest(page_size=size, page_token=token)
        answer = await people.matching.ListSentInterests(request, metadata=member.metadata)
        return [interest.interest_id for interest in answer.interests], answer.next_page_token

    return fetch


def connections_of(people: People, member: Caller, *, ended: bool = True) -> FetchPage:
    async def fetch(size: int, token: str) -> tuple[list[str], str]:
        request = ListConnectionsRequest(page_size=size, page_token=token, show_ended=ended)
        answer = await people.matching.ListConnections(request, metadata=member.metadata)
        return [connection.connection_id for connection in answer.connections], answer.next_page_token

    return fetch


async def read_all_pages(
    fetch: FetchPage, size: int, between: Callable[[], Awaitable[object]] | None = None
) -> list[str]:
    """The items of all pages. `between` runs between two pages."""
    seen, token = await fetch(size, "")
    while token:
        if between:
            await between()
        page, token = await fetch(size, token)
        assert page
        seen += page
    return seen


async def send_at_one_instant(people: People, sender: Caller, count: int) -> list[str]:
    """Stores interests that were sent at the same time. Returns their ids in the order of the list."""
    ids = [uuid7() for _ in range(count)]
    await people.store_inventory(sender)
    await people.world.superuser.execute(
        """INSERT INTO matching.interests
            (id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version)
        SELECT id, $2, gen_random_uuid(), 'friend', gen_random_uuid(), 'pending', 'pending', $3, 1
        FROM unnest($1::uuid[]) AS id""",
        *(ids, sender.user, await people.world.now()),
    )
    return [str(each) for each in sorted(ids, reverse=True)]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_each_interest_is_on_one_page_although_their_times_tie(people: People, size: int) -> None:
    member = await people.member()
    older = await send_at_one_instant(people, member, 7)
    newer = await send_at_one_instant(people, member, 7)
    assert await read_all_pages(interests_of(people, member), size) == newer + older


async def test_an_interest_that_is_sent_between_two_pages_does_not_move_them(people: People) -> None:
    member = await people.member()
    sent = await send_at_one_instant(people, member, 9)
    seen = await read_all_pages(interests_of(people, member), 2, lambda: send_at_one_instant(people, member, 1))
    assert seen == sent


async def test_connections_are_listed_newest_first_and_ended_ones_on_request(people: People) -> None:
    member = await people.member("pro")
    formed = [(await people.connect(await people.member(), member)).connection_id for _ in range(4)]
    await people.end(member, formed[1])
    newest = formed[::-1]
    assert await read_all_pages(connections_of(people, member), 3) == newest
    assert await read_all_pages(connections_of(people, member, ended=False), 2) == [newest[0], newest[1], newest[3]]
    assert [each.status for each in await people.connections(member, show_ended=True)].count(
        CONNECTION_STATUS_ENDED
    ) == 1


@pytest.mark.rule("XX-04")
async def test_a_token_is_valid_only_for_its_member_and_its_list(people: People) -> None:
    mine, other = await people.members("pro", "pro")
    for member in (mine, other):
        await send_at_one_instant(people, member, 3)
        for _ in range(2):
            await people.connect(await people.member(), member)
    _, interests = await interests_of(people, mine)(1, "")
    _, connections = await connections_of(people, mine)(1, "")
    invalid_calls = [
        interests_of(people, other)(1, interests),
        interests_of(people, mine)(1, connections),
        connections_of(people, other)(1, connections),
        connections_of(people, mine)(1, interests),
        connections_of(people, mine, ended=False)(1, connections),
        interests_of(people, mine)(1, "17"),
        connections_of(people, mine)(1, interests[:-1] + "="),
    ]
    for invalid_call in invalid_calls:
        refused = await refusal(invalid_call)
        assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["page_token"])


@pytest.mark.parametrize("size", [-1, 101])
async def test_page_sizes_out_of_bounds_are_refused(people: People, size: int) -> None:
    member = await people.member()
    for fetch in (interests_of(people, member), connections_of(people, member)):
        refused = await refusal(fetch(size, ""))
        assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["page_size"])


@pytest.mark.rule("MA-06")
async def test_slots_by_tier(people: People) -> None:
    free, pro = await people.members("free", "pro")
    assert await people.inventory(free) == Inventory(tier=TIER_FREE, connection_limit=1)
    await people.connect(await people.member(), pro)
    assert await people.inventory(pro) == Inventory(tier=TIER_PRO, connection_limit=4, active_connection_count=1)


@pytest.mark.rule("RE-10")
async def test_other_contexts_ask_for_a_pair_as_it_is_now(world: World, people: People) -> None:
    first, second = await people.members("free", "free")
    connection = await people.connect(first, second)
    pairs = world.stub(PairServiceStub, "matching", caller="reveal")
    request = GetPairRequest(connection_id=connection.connection_id)
    pair = (await pairs.GetPair(request)).pair
    assert [pair.user_a_id, pair.user_b_id] == sorted([first.id, second.id])
    assert (pair.status, pair.version, pair.server_type) == (CONNECTION_STATUS_ACTIVE, 1, SERVER_TYPE_PARTNER)
    assert pair.formed_at == connection.formed_at
    ended = await people.end(first, connection.connection_id)
    pair = (await pairs.GetPair(request)).pair
    assert (pair.status, pair.version, pair.ended_at) == (CONNECTION_STATUS_ENDED, 2, ended.ended_at)
    refused = await refusal(pairs.GetPair(GetPairRequest(connection_id=str(uuid7()))))
    assert (refused.code, refused.reason) == ("NOT_FOUND", "CONNECTION_NOT_FOUND")


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("caller", ["gateway", "discovery", "billing", "stranger"])
async def test_no_other_caller_may_ask_for_a_pair(world: World, people: People, caller: str) -> None:
    pairs = world.stub(PairServiceStub, "matching", caller=caller)
    member = await people.member()
    refused = await refusal(pairs.GetPair(GetPairRequest(connection_id=str(uuid7())), metadata=member.metadata))
    assert refused.code == "PERMISSION_DENIED"


@pytest.mark.rule("MA-09", "XX-04")
async def test_only_the_two_of_a_connection_see_it(people: People) -> None:
    first, second, stranger = await people.members("free", "free", "free")
    connection = await people.connect(first, second)
    for ended in (False, True):
        if ended:
            connection = await people.end(second, connection.connection_id)
        assert await people.connection(second, connection.connection_id) == connection
        (listed,) = await people.connections(first, show_ended=True)
        assert await people.connection(first, connection.connection_id) == listed
        assert (listed.partner_id, connection.partner_id) == (second.id, first.id)
    refusals = [await refusal(people.connection(stranger, each)) for each in (connection.connection_id, str(uuid7()))]
    assert refusals[0] == refusals[1]
    assert (refusals[0].code, refusals[0].reason) == ("NOT_FOUND", "CONNECTION_NOT_FOUND")
