"""DI-16: cards stand beside a member's own interests and blocks, which are listed also while discovery is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from unora.discovery.v1.card_service_pb2 import GetDealtCardsRequest
from unora.matching.v1.matching_service_pb2 import ListSentInterestsRequest, ListSentInterestsResponse
from unora.safety.v1.safety_service_pb2 import GetSafetyCentreRequest, GetSafetyCentreResponse, ListBlocksResponse
from unora_testing.world import World

from tests.integration.protection.scenario import Member, Scenario
from tests.support import refusal

pytestmark = pytest.mark.rule("DI-16")
Break = Callable[[Exception], None]


@pytest.fixture
def broken(world: World, monkeypatch: pytest.MonkeyPatch) -> Break:
    """Lets discovery answer the question for dealt cards with an error."""

    def fail_with(error: Exception) -> None:
        for context in ("matching", "safety"):
            clients = world.apps[context].clients
            call = clients.call

            async def answer(method: Any, request: Message, call: Any = call) -> Any:
                if isinstance(request, GetDealtCardsRequest):
                    raise error
                return await call(method, request)

            monkeypatch.setattr(clients, "call", answer)

    return fail_with


def status(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


class Lists:
    """What a member has sent and blocked."""

    def __init__(self, scenario: Scenario, member: Member) -> None:
        self.scenario, self.member = scenario, member

    async def sent(self) -> ListSentInterestsResponse:
        asked = ListSentInterestsRequest()
        return await self.scenario.matches.matching.ListSentInterests(asked, metadata=self.member.metadata)

    async def blocks(self) -> ListBlocksResponse:
        return await self.scenario.safety.list_blocks(self.member)

    async def centre(self) -> GetSafetyCentreResponse:
        asked = GetSafetyCentreRequest()
        return await self.scenario.safety.stub.GetSafetyCentre(asked, metadata=self.member.metadata)

    async def all(self) -> list[Any]:
        return [await self.sent(), await self.blocks(), await self.centre()]


@pytest.fixture
async def lists(scenario: Scenario) -> Lists:
    woman, man = await scenario.add_pair()
    await scenario.send_interest(woman, man)
    await scenario.safety.block(woman, scenario.by_card((await scenario.cards(woman))[man.id]))
    return Lists(scenario, woman)


def without_cards(answer: Any) -> Any:
    left = type(answer)()
    left.CopyFrom(answer)
    left.ClearField("cards")
    return left


@pytest.mark.parametrize(
    "error",
    [
        status(grpc.StatusCode.UNAVAILABLE),
        status(grpc.StatusCode.DEADLINE_EXCEEDED),
        status(grpc.StatusCode.RESOURCE_EXHAUSTED),
        TimeoutError(),
    ],
    ids=lambda error: error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__,
)
async def test_while_discovery_does_not_answer_lists_have_their_own_entries_and_no_cards(
    lists: Lists, broken: Break, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await lists.all()
    assert all(answer.cards for answer in before)
    broken(error)
    assert await lists.all() == [without_cards(answer) for answer in before]
    monkeypatch.undo()
    assert await lists.all() == before


async def test_an_error_that_does_not_pass_by_itself_is_not_hidden(lists: Lists, broken: Break) -> None:
    broken(status(grpc.StatusCode.PERMISSION_DENIED))
    for call in (lists.sent, lists.blocks, lists.centre):
        assert (await refusal(call())).code == "INTERNAL"
