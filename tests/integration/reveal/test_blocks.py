"""A block has the same effect as the end of the connection, at once, and looks the same (RE-10)."""

from __future__ import annotations

import grpc
import pytest
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import RevealPair, make_reveal_pair
from tests.integration.reveal.test_authorizing import authorize
from tests.integration.reveal.test_buying import payment_outcomes
from tests.integration.reveal.test_identity import complete
from tests.support import refusal

DIRECTIONS = pytest.mark.parametrize("by_viewer", [True, False])


@pytest.fixture
async def pair(world: World) -> RevealPair:
    """Both have earned reveals 1, 2 and 5. Member a has bought 3, and opened 1 and 3."""
    made = await make_reveal_pair(world)
    await made.apply(made.payment_succeeded(made.a, 3))
    await complete(made)
    for number in (1, 3):
        await made.open(made.a, number)
    return made


@pytest.mark.rule("RE-10", "XX-04")
@DIRECTIONS
async def test_a_block_closes_every_reveal_at_once_as_an_end_does(pair: RevealPair, by_viewer: bool) -> None:
    """Before the event of the block reaches matching or reveal."""
    ended = await make_reveal_pair(pair.world)
    await complete(ended)
    await ended.end_in_matching()
    expected = await refusal(ended.open(ended.a, 1))
    assert (expected.code, expected.reason) == ("FAILED_PRECONDITION", "CONNECTION_ENDED")
    await pair.block(pair.a if by_viewer else pair.b)
    for number in (1, 2, 3, 5):
        assert await refusal(pair.open(pair.a, number)) == expected
        assert await refusal(pair.open(pair.b, 1)) == expected
    assert (await pair.stored_reveal(pair.a, 2))["reveal_status"] == "earned"
    assert (await pair.stored_reveal(pair.a, 5))["photo_ids"] is None


@pytest.mark.rule("RE-10")
@DIRECTIONS
async def test_a_list_shows_no_text_while_there_is_a_block(pair: RevealPair, by_viewer: bool) -> None:
    before = await pair.list_reveals(pair.a)
    assert [each.reveal_number for each in before if each.HasField("framed")] == [1, 3]
    blocker = pair.a if by_viewer else pair.b
    block = await pair.block(blocker)
    listed = await pair.list_reveals(pair.a)
    assert not any(each.HasField("framed") for each in listed)
    assert [each.status for each in listed] == [each.status for each in before]
    await pair.unblock(blocker, block)
    assert await pair.list_reveals(pair.a) == before, "matching has not ended it: its consumers did not run"


@pytest.mark.rule("RE-05", "RE-10", "BI-11")
async def test_a_block_stops_sales_and_a_payment_becomes_credits(pair: RevealPair) -> None:
    payment = pair.payment_succeeded(pair.a, 4)
    await authorize(pair, pair.a, 4)
    await pair.block(pair.b)
    assert (await refusal(authorize(pair, pair.a, 4))).reason == "CONNECTION_ENDED"
    await pair.apply(payment)
    assert await payment_outcomes(pair, pair.a, 4) == ([], [payment.payment_id])


@pytest.mark.rule("RE-10")
async def test_nothing_is_shown_while_safety_does_not_answer(pair: RevealPair, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unavailable(*_: object) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())

    with monkeypatch.context() as patch:
        patch.setattr("unora_common.pair_facts.is_blocked", unavailable)
        for number in (1, 2, 3, 5):
            assert (await refusal(pair.open(pair.a, number))).code == "UNAVAILABLE"
        assert (await refusal(pair.list_reveals(pair.a))).code == "UNAVAILABLE"
        assert await pair.statuses(pair.b) == ["EARNED", "EARNED", "LOCKED", "LOCKED", "EARNED"], (
            "a list without texts does not ask safety"
        )
    assert (await pair.stored_reveal(pair.a, 2))["reveal_status"] == "earned"
