"""RE-10, ST-11: a chat service asks whether two members may chat, and learns yes or no."""

from __future__ import annotations

import pytest
from unora.matching.v1.pair_service_pb2 import MayChatRequest, MayChatResponse
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora.safety.v1.safety_service_pb2 import Target
from unora_testing.world import Caller, World

from tests.contract.contract import methods
from tests.integration.matching.people import People
from tests.integration.matching.test_chat import completed
from tests.integration.safety.safety_calls import SafetyCalls
from tests.support import refusal

pytestmark = pytest.mark.rule("RE-10", "ST-11")


async def may_chat(world: World, one: Caller, other: Caller) -> bool:
    stub = world.stub(PairServiceStub, "matching", caller="chat")
    answer: MayChatResponse = await stub.MayChat(MayChatRequest(user_a_id=one.id, user_b_id=other.id))
    return answer.may_chat


@pytest.fixture
async def couple(world: World, people: People) -> tuple[Caller, Caller, str]:
    """Two members whose chat is unlocked, and their connection."""
    one, other = await people.members("free", "free")
    connection = await people.connect(one, other)
    assert not await may_chat(world, one, other)
    await world.publish(completed(connection.connection_id, await world.now()))
    return one, other, connection.connection_id


async def test_two_may_chat_once_their_streak_is_complete_in_whatever_order_they_are_named(
    world: World, couple: tuple[Caller, Caller, str]
) -> None:
    one, other, _ = couple
    assert await may_chat(world, one, other)
    assert await may_chat(world, other, one)


async def test_after_the_end_they_may_not(world: World, people: People, couple: tuple[Caller, Caller, str]) -> None:
    one, other, connection = couple
    await people.end(other, connection)
    assert not await may_chat(world, one, other)


@pytest.mark.rule("RE-10", "MA-12")
@pytest.mark.parametrize("blocker", [0, 1])
async def test_from_the_moment_of_a_block_they_may_not_before_matching_has_heard_of_it(
    world: World, couple: tuple[Caller, Caller, str], blocker: int
) -> None:
    """Safety is asked: the world drains nothing between the block and the question."""
    members = couple[:2]
    await SafetyCalls(world).block(members[blocker], Target(connection_id=couple[2]))
    assert not await may_chat(world, *members)


@pytest.mark.rule("RE-10", "XX-04")
async def test_strangers_members_before_day_15_ended_pairs_and_oneself_get_one_answer(
    world: World, people: People, couple: tuple[Caller, Caller, str]
) -> None:
    one, other, connection = couple
    third, fourth, stranger = await people.members("free", "free", "free")
    await people.connect(third, fourth)
    await people.end(one, connection)
    stub = world.stub(PairServiceStub, "matching", caller="chat")
    pairs = [(one, other), (third, fourth), (one, stranger), (stranger, world.caller()), (one, one)]
    answers = {
        (await stub.MayChat(MayChatRequest(user_a_id=a.id, user_b_id=b.id))).SerializeToString() for a, b in pairs
    }
    assert answers == {MayChatResponse().SerializeToString()}


@pytest.mark.rule("XX-04")
async def test_the_same_questions_are_asked_whatever_is_between_two_members(
    world: World, people: People, couple: tuple[Caller, Caller, str], statements: list[str]
) -> None:
    one, other, _ = couple
    asked = []
    for pair in ((one, other), (one, world.caller())):
        statements.clear()
        await may_chat(world, *pair)
        asked.append(list(statements))
    assert asked[0] == asked[1] != []


@pytest.mark.rule("XX-03", "RE-10")
@pytest.mark.parametrize("caller", ["gateway", "identity", "reveal", "stranger"])
async def test_only_a_chat_service_may_ask(world: World, caller: str) -> None:
    stub, member = world.stub(PairServiceStub, "matching", caller=caller), world.caller()
    request = MayChatRequest(user_a_id=member.id, user_b_id=world.caller().id)
    refused = await refusal(stub.MayChat(request, metadata=member.metadata))
    assert (refused.code, refused.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")


@pytest.mark.rule("XX-03")
async def test_a_chat_service_may_call_nothing_else_that_contexts_may(world: World) -> None:
    """Of the methods for contexts; those for members need a gateway's certificate."""
    allowed = {str(each) for each in methods() if each.policy.may_call("chat", ("gateway", "developer"))}
    assert allowed == {"matching.MayChat"}
