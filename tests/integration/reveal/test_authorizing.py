"""What reveal answers to billing before billing charges for a reveal."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from unora.reveal.v1.purchase_service_pb2 import AuthorizePurchaseRequest, AuthorizePurchaseResponse
from unora.reveal.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from unora_common.ids import uuid7
from unora_testing.world import Caller, World

from tests.integration.reveal.reveal_pair import RevealPair, make_reveal_pair
from tests.support import refusal, request_id


@pytest.fixture
async def pair(world: World) -> RevealPair:
    return await make_reveal_pair(world)


def authorize(
    pair: RevealPair, payer: Caller, number: int, caller: str = "billing"
) -> Awaitable[AuthorizePurchaseResponse]:
    request = AuthorizePurchaseRequest(
        streak_id=str(pair.streak_id), payer_id=payer.id, reveal_number=number, payment_id=request_id()
    )
    answer: Awaitable[Any] = pair.world.stub(PurchaseServiceStub, "reveal", caller=caller).AuthorizePurchase(request)
    return answer


async def refusal_of(pair: RevealPair, payer: Caller, number: int) -> tuple[str, str, dict[str, str]]:
    refused = await refusal(authorize(pair, payer, number))
    assert refused.domain == "unora.reveal"
    return refused.code, refused.reason, refused.metadata


NOT_FOR_SALE = ("FAILED_PRECONDITION", "REVEAL_NOT_FOR_SALE", dict[str, str]())
LOWER_FIRST = ("FAILED_PRECONDITION", "LOWER_REVEAL_FIRST", {"reveal_number": "3"})


@pytest.mark.rule("RE-03", "RE-05")
async def test_the_tier_of_the_payer_decides(pair: RevealPair) -> None:
    await pair.set_tier(pair.b, "pro")
    assert (await authorize(pair, pair.a, 3)).connection_id == str(pair.connection_id)
    assert await refusal_of(pair, pair.a, 4) == LOWER_FIRST
    assert [await refusal_of(pair, pair.a, number) for number in (1, 2)] == [NOT_FOR_SALE] * 2
    assert [await refusal_of(pair, pair.b, number) for number in (1, 2, 3, 4)] == [NOT_FOR_SALE] * 4
    await pair.set_tier(pair.a, "plus")
    assert await refusal_of(pair, pair.a, 3) == NOT_FOR_SALE
    assert (await authorize(pair, pair.a, 4)).connection_id == str(pair.connection_id)


@pytest.mark.rule("RE-05")
async def test_nothing_is_held_and_nothing_changes(pair: RevealPair) -> None:
    before = [await pair.stored_reveal(pair.a, number) for number in range(1, 6)]
    for _ in range(3):
        await authorize(pair, pair.a, 3)
    assert [await pair.stored_reveal(pair.a, number) for number in range(1, 6)] == before


@pytest.mark.rule("RE-05")
async def test_an_earned_reveal_is_not_sold(pair: RevealPair) -> None:
    await pair.set_tier(pair.a, "pro")
    await pair.apply(pair.day_completed(9))
    await pair.set_tier(pair.a, "free")
    assert (await refusal_of(pair, pair.a, 3))[1] == "REVEAL_NOT_LOCKED"
    assert (await authorize(pair, pair.a, 4)).connection_id == str(pair.connection_id)


@pytest.mark.rule("RE-10")
async def test_an_ended_connection_sells_nothing_even_before_its_event_arrives(world: World) -> None:
    for end in (RevealPair.end_in_matching, lambda pair: pair.apply(pair.connection_ended())):
        pair = await make_reveal_pair(world)
        await end(pair)
        assert await refusal_of(pair, pair.a, 3) == ("FAILED_PRECONDITION", "CONNECTION_ENDED", {})


@pytest.mark.rule("RE-05", "XX-04")
async def test_a_streak_of_others_looks_like_a_missing_one(world: World, pair: RevealPair) -> None:
    stranger = world.caller()
    missing = RevealPair(world, pair.a, pair.b, uuid7(), uuid7())
    assert (
        await refusal_of(pair, stranger, 3)
        == await refusal_of(missing, pair.a, 3)
        == ("NOT_FOUND", "STREAK_NOT_FOUND", {})
    )


@pytest.mark.rule("RE-04", "RE-05")
@pytest.mark.parametrize("number", [-1, 0, 5, 6])
async def test_the_contract_refuses_to_authorize_the_identity(pair: RevealPair, number: int) -> None:
    refused = await refusal(authorize(pair, pair.a, number))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["reveal_number"])


@pytest.mark.rule("RE-05")
async def test_a_purchase_is_not_authorized_while_matching_does_not_answer(
    world: World, pair: RevealPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())

    with monkeypatch.context() as patch:
        patch.setattr("unora_common.pair_facts._is_active", unavailable)
        assert (await refusal_of(pair, pair.a, 3))[:2] == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("caller", ["gateway", "developer", "streak", "matching", "stranger"])
async def test_only_billing_may_authorize_a_purchase(pair: RevealPair, caller: str) -> None:
    assert (await refusal(authorize(pair, pair.a, 3, caller=caller))).code == "PERMISSION_DENIED"
