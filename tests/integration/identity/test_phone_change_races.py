"""ID-14: changes of a number at the same moment as other changes, sign-ups and sign-ins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import grpc
import pytest
from unora.identity.v1.events_pb2 import AccountCreated
from unora_common.database import Tx
from unora_identity.domain.accounts import LockedMember
from unora_identity.store import accounts
from unora_testing.world import World

from tests.integration.identity.movers import Movers
from tests.integration.identity.people import People
from tests.support import race, read_refusal, refusal

pytestmark = pytest.mark.rule("ID-14")


@pytest.fixture
def movers(people: People) -> Movers:
    return Movers(people)


@pytest.mark.rule("ID-01")
async def test_of_two_accounts_that_change_to_one_number_at_once_one_gets_it(people: People, movers: Movers) -> None:
    number = people.number()
    pair = [await people.sign_in() for _ in range(2)]
    given = [await movers.challenge(each, number) for each in pair]
    done = await asyncio.gather(
        *(movers.complete(each, *code) for each, code in zip(pair, given, strict=True)), return_exceptions=True
    )
    refused = [read_refusal(error) for error in done if isinstance(error, grpc.aio.AioRpcError)]
    assert [each.reason for each in refused] == ["PHONE_TAKEN"]
    (winner,) = [each for each, result in zip(pair, done, strict=True) if result is None]
    assert (await people.sign_in(number)).member.id == winner.member.id


@pytest.mark.rule("ID-01")
async def test_a_sign_up_and_a_change_to_the_same_number_at_once_leave_one_account(
    people: People, movers: Movers
) -> None:
    for _ in range(5):
        number, signed = people.number(), await people.sign_in()
        sign_up = (await people.start(number)).challenge_id
        change = (await movers.start(signed, number)).challenge_id
        to_sign_up, to_change = people.codes(number)
        entered, changed = await asyncio.gather(
            people.verify(sign_up, to_sign_up), movers.complete(signed, change, to_change), return_exceptions=True
        )
        assert not isinstance(entered, BaseException)
        if isinstance(changed, grpc.aio.AioRpcError):
            assert read_refusal(changed).reason == "PHONE_TAKEN"
            assert entered.created
        else:
            assert (entered.created, entered.user_id) == (False, signed.member.id)
        assert (await people.sign_in(number)).member.id == entered.user_id


async def test_a_sign_in_with_the_old_number_at_the_moment_of_a_change_leaves_no_session(
    world: World, people: People, movers: Movers
) -> None:
    """Either it came first, and its session ended with the change, or it made an account of its own."""
    for turn in range(5):
        old, new = people.number(), people.number()
        signed = await people.sign_in(old)
        sign_in, given = (await people.start(old)).challenge_id, await movers.challenge(signed, new)
        calls: list[Awaitable[Any]] = [
            people.verify(sign_in, people.codes(old)[-1]),
            movers.complete(signed, *given),
        ]
        entered, _ = await race(turn, calls)
        if entered.user_id == signed.member.id:
            assert (await refusal(people.refresh(entered.tokens.refresh_token))).reason == "SESSION_INVALID"
        else:
            assert len(await world.events(AccountCreated, entered.user_id)) == 1
        assert (await people.sign_in(new)).member.id == signed.member.id


@pytest.mark.rule("ID-01")
async def test_two_accounts_cannot_swap_their_numbers(people: People, movers: Movers) -> None:
    """At once: neither waits for the other."""
    numbers = [people.number() for _ in range(2)]
    pair = [await people.sign_in(number) for number in numbers]
    given = [await movers.challenge(each, number) for each, number in zip(pair, reversed(numbers), strict=True)]
    done = await asyncio.gather(
        *(movers.complete(each, *code) for each, code in zip(pair, given, strict=True)), return_exceptions=True
    )
    refused = [read_refusal(error).reason for error in done if isinstance(error, grpc.aio.AioRpcError)]
    assert refused == ["PHONE_TAKEN"] * 2
    for each, number in zip(pair, numbers, strict=True):
        assert (await people.sign_in(number)).member.id == each.member.id


@pytest.mark.rule("ID-01")
async def test_a_sign_in_whose_account_moves_to_another_number_meanwhile_looks_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the account came to the number and left it again between two statements of the sign-in."""
    look, looks = accounts.lock_by_phone, 0

    async def twice_too_early(tx: Tx, phone_hashes: Sequence[bytes]) -> LockedMember | None:
        nonlocal looks
        looks += 1
        return await look(tx, phone_hashes) if looks > 2 else None

    number = people.number()
    owner = await people.sign_in(number)
    monkeypatch.setattr(accounts, "lock_by_phone", twice_too_early)
    assert (await people.sign_in(number)).member.id == owner.member.id
    assert looks == 3
