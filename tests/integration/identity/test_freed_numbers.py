"""ID-09: once the thirty days of a closed account are over, its number is free, also before the account is erased."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import CloseAccountRequest
from unora.identity.v1.events_pb2 import AccountErasureRequested, AccountHidden, AccountReopened, PhoneChanged
from unora_identity.jobs.erasures import ErasureJobs
from unora_testing.world import World

from tests.integration.identity.movers import Movers
from tests.integration.identity.people import People, Signed
from tests.integration.identity.recovery_desk import Desk, said
from tests.integration.identity.test_erasures import make_due, replica
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-09")


@pytest.fixture
def desk(world: World, people: People) -> Desk:
    return Desk(world, people)


async def closed(people: People, number: str) -> Signed:
    """A member with this number who has just closed the account."""
    signed = await people.sign_in(number, "own")
    await people.update_profile(signed)
    await people.accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=signed.metadata)
    return signed


async def over(world: World, people: People, number: str) -> Signed:
    """One whose thirty days are over."""
    signed = await closed(people, number)
    await make_due(world, signed)
    return signed


async def gave_way(people: People, signed: Signed) -> bool:
    """Whether an account has no number any more, and is erased no later."""
    (row,) = await people.rows("users", id=signed.member.user)
    return row["phone_hash"] is None and row["phone_sealed"] is None and row["closed_at"] < row["hidden_at"]


@pytest.mark.rule("ID-13")
@pytest.mark.parametrize("replaces", [False, True])
async def test_an_account_comes_back_on_the_number_of_one_whose_thirty_days_are_over(
    world: World, people: People, desk: Desk, replaces: bool
) -> None:
    signed, _, subject = await desk.hidden()
    number = people.number()
    gone = await over(world, people, number)
    back = await desk.recover(signed, subject, await desk.code(number), replaces=replaces)
    assert back.user_id == signed.member.id
    assert (await people.sign_in(number)).member.id == signed.member.id
    assert await gave_way(people, gone)
    assert await world.events(AccountHidden, gone.member.id) == [], "for others it is gone already"
    await world.drain()
    assert len(await world.events(AccountErasureRequested, gone.member.id)) == 1
    assert await people.rows("users", id=gone.member.user) == []


@pytest.mark.rule("ID-13")
async def test_within_them_the_number_is_the_closed_accounts(world: World, people: People, desk: Desk) -> None:
    signed, _, subject = await desk.hidden()
    number = people.number()
    gone = await closed(people, number)
    for replaces in (False, True):
        refused = await refusal(desk.recover(signed, subject, await desk.code(number), replaces=replaces))
        assert said(refused) == ("FAILED_PRECONDITION", "PHONE_TAKEN", {})
    (row,) = await people.rows("users", id=gone.member.user)
    assert (row["hidden_at"], row["phone_hash"] is None) == (None, False)


@pytest.mark.rule("ID-01", "ID-13")
async def test_all_accounts_of_a_number_with_two_forms_give_way(world: World, people: People, desk: Desk) -> None:
    without, with_9 = "+541123460013", "+5491123460013"
    signed, _, subject = await desk.hidden()
    gone = [await closed(people, people.number()) for _ in range(2)]
    for each, form in zip(gone, (without, with_9), strict=True):
        await world.superuser.execute(
            "UPDATE identity.users SET phone_hash = $2 WHERE id = $1",
            *(each.member.user, people.resources.hasher.phone(form)),
        )
    await make_due(world, *gone)
    challenge = (await people.start(without)).challenge_id
    back = await desk.recover(signed, subject, (challenge, people.codes(with_9)[-1]))
    assert back.user_id == signed.member.id
    assert [await gave_way(people, each) for each in gone] == [True, True]


@pytest.mark.rule("ID-13")
async def test_a_refused_recovery_leaves_the_closed_account_as_it_was(world: World, people: People, desk: Desk) -> None:
    number = people.number()
    gone = await over(world, people, number)
    signed, _, subject = await desk.linked()
    assert (await refusal(desk.recover(signed, subject, await desk.code(number)))).reason == "NOTHING_TO_RECOVER"
    (row,) = await people.rows("users", id=gone.member.user)
    assert row["phone_hash"] is not None


@pytest.mark.rule("ID-14")
async def test_a_member_changes_to_the_number_of_one_whose_thirty_days_are_over(world: World, people: People) -> None:
    movers, number = Movers(people), people.number()
    signed, gone = await people.sign_in(), await closed(people, number)
    assert (await refusal(movers.change(signed, number))).reason == "PHONE_TAKEN"
    await make_due(world, gone)
    await movers.change(signed, number)
    assert (await people.sign_in(number)).member.id == signed.member.id
    assert await gave_way(people, gone)
    assert len(await world.events(PhoneChanged, signed.member.id)) == 1


@pytest.mark.rule("ID-13", "ID-14")
async def test_whoever_comes_as_the_erasure_begins_gets_the_number(world: World, people: People, desk: Desk) -> None:
    movers, jobs = Movers(people), ErasureJobs(replica(world))
    for turn in range(4):
        number = people.number()
        gone = await over(world, people, number)
        if turn % 2:
            signed = await people.sign_in()
            given = await movers.challenge(signed, number)
            call = movers.complete(signed, *given)
        else:
            signed, _, subject = await desk.hidden()
            call = desk.recover(signed, subject, await desk.code(number))  # type: ignore[assignment]
        done = await asyncio.gather(call, jobs.begin_erasures(), return_exceptions=True)
        assert not isinstance(done[0], grpc.aio.AioRpcError), done[0]
        assert (await people.sign_in(number)).member.id == signed.member.id
        await jobs.begin_erasures()
        assert len(await world.events(AccountErasureRequested, gone.member.id)) == 1
        assert await world.events(AccountReopened, gone.member.id) == []
