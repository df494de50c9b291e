"""ID-13: an account that lost its number comes back for 30 days, by a linked account of a provider or its Gov ID."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import (
    CloseAccountRequest,
    GetAccountRequest,
    LinkedAccount,
)
from unora.identity.v1.events_pb2 import (
    AccountHidden,
    AccountReopened,
    DiscoveryProfileChanged,
    NewDeviceSignedIn,
    PhoneChanged,
)
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_identity.store import challenges
from unora_testing.world import World

from tests.integration.identity.people import People, apply
from tests.integration.identity.recovery_desk import NOTHING, Desk, said
from tests.statements import sent_by
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-13")


@pytest.fixture
def desk(world: World, people: People) -> Desk:
    return Desk(world, people)


async def test_it_comes_back_on_a_new_number_with_a_session_and_is_shown_again(
    world: World, people: People, desk: Desk
) -> None:
    signed, _, subject = await desk.hidden(ready=True)
    number = people.number()
    back = await desk.recover(signed, subject, await desk.code(number), device="new")
    assert back.user_id == signed.member.id
    metadata = (("authorization", f"Bearer {back.tokens.access_token}"),)
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert (account.user_id, account.discovery_ready) == (signed.member.id, True)
    (row,) = await people.rows("users", id=signed.member.user)
    assert (row["closed_at"], row["hidden_at"], row["erase_after"]) == (None, None, None)
    key = people.resources.master_key.unwrap(row["id"], row["data_key"])
    assert key.open("phone", row["phone_sealed"]) == number
    for kind in (AccountReopened, PhoneChanged, NewDeviceSignedIn):
        assert len(await world.events(kind, signed.member.id)) == 1, kind
    assert [each.discovery_ready for each in await world.events(DiscoveryProfileChanged, signed.member.id)][-2:] == [
        False,
        True,
    ]
    assert (await people.sign_in(number, "newer")).member.id == signed.member.id


async def test_it_comes_back_on_its_own_number_if_that_is_free(people: People, desk: Desk) -> None:
    signed, number, subject = await desk.hidden()
    await people.world.superuser.execute(
        "UPDATE identity.users SET phone_hash = sha256(phone_hash) WHERE phone_hash = $1",
        people.resources.hasher.phone(number),
    )
    assert (await desk.recover(signed, subject, await desk.code(number))).user_id == signed.member.id
    assert (await people.sign_in(number)).member.id == signed.member.id


async def test_a_number_of_another_account_is_refused_and_the_code_can_be_used(people: People, desk: Desk) -> None:
    signed, number, subject = await desk.hidden()
    given = await desk.code(number)
    refused = await refusal(desk.recover(signed, subject, given))
    assert said(refused) == ("FAILED_PRECONDITION", "PHONE_TAKEN", {})
    assert not (await people.verify(*given)).created


async def test_who_gave_three_wrong_dates_gets_the_account_back_on_the_same_number_if_the_new_one_gives_it_up(
    world: World, people: People, desk: Desk
) -> None:
    signed, number, subject = await desk.linked()
    new = await desk.lose(signed, number)
    back = await desk.recover(signed, subject, await desk.code(number), replaces=True)
    assert back.user_id == signed.member.id
    assert (await people.sign_in(number)).member.id == signed.member.id
    (row,) = await people.rows("users", id=UUID(new))
    assert row["phone_hash"] is None
    assert row["hidden_at"] is not None
    (event,) = await world.events(AccountHidden, new)
    assert event.new_user_id == ""


@pytest.mark.parametrize("state", ["suspended", "unused", "closed", "of another form"])
async def test_an_account_that_the_code_alone_does_not_open_or_that_is_suspended_gives_up_no_number(
    world: World, people: People, desk: Desk, state: str
) -> None:
    signed, _, subject = await desk.hidden()
    number = people.number()
    owner = await people.sign_in(number, "own")
    await people.update_profile(owner)
    if state == "suspended":
        await apply(world, RestrictionChanged(user_id=owner.member.id, version=1, suspended=True))
    elif state == "unused":
        await people.leave_unused(owner)
    elif state == "closed":
        await people.accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=owner.metadata)
    given = await desk.code(number)
    if state == "of another form":
        await world.superuser.execute(
            """UPDATE identity.phone_challenges SET phone_hashes = phone_hashes || (
                SELECT phone_hash FROM identity.users WHERE id = $2) WHERE id = $1""",
            UUID(given[0]),
            (await people.sign_in()).member.user,
        )
    device = "own" if state == "closed" else ""
    refused = await refusal(desk.recover(signed, subject, given, replaces=True, device=device))
    assert said(refused) == ("FAILED_PRECONDITION", "PHONE_TAKEN", {})
    assert await world.events(AccountReopened, signed.member.id) == []
    assert await world.events(AccountHidden, owner.member.id) == []


async def test_only_a_hidden_account_comes_back_and_only_for_thirty_days(
    world: World, people: People, desk: Desk
) -> None:
    given = await desk.code()
    lost, _, lost_subject = await desk.hidden()
    open_, _, open_subject = await desk.linked()
    closed, _, closed_subject = await desk.linked()
    await people.accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=closed.metadata)
    await world.superuser.execute("UPDATE identity.users SET erase_after = clock.now() WHERE id = $1", lost.member.user)
    for signed, subject in (
        (lost, lost_subject),
        (open_, open_subject),
        (closed, closed_subject),
        (open_, f"subject-{uuid4()}"),
    ):
        assert said(await refusal(desk.recover(signed, subject, given))) == NOTHING
    await world.superuser.execute(
        "UPDATE identity.users SET erase_after = clock.now() + interval '1 minute' WHERE id = $1", lost.member.user
    )
    assert (await desk.recover(lost, lost_subject, given)).user_id == lost.member.id


async def test_the_token_must_be_made_for_this_challenge(desk: Desk) -> None:
    signed, _, subject = await desk.hidden()
    given, other = await desk.code(), await desk.code()
    for nonce in (signed.member.id, other[0], "", given[0].upper()):
        refused = await refusal(desk.recover(signed, subject, given, nonce=nonce))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "ID_TOKEN_INVALID")
    token = desk.openid.token(signed, subject, nonce=given[0])
    unknown = LinkedAccount(provider="elsewhere", id_token=token)
    assert (await refusal(desk.ask(given, linked_account=unknown))).reason == "PROVIDER_UNKNOWN"
    assert (await desk.recover(signed, subject, given)).user_id == signed.member.id


@pytest.mark.rule("ID-02", "XX-04")
async def test_without_the_right_code_no_proof_tells_anything(desk: Desk) -> None:
    signed, _, subject = await desk.hidden()
    seen = []
    for named in (subject, f"subject-{uuid4()}"):
        challenge, code = await desk.code()
        with sent_by("identity") as statements:
            refused = await refusal(desk.recover(signed, named, (challenge, f"{(int(code) + 1) % 10**6:06d}")))
        assert refused.reason == "CODE_WRONG"
        seen.append((refused, statements))
    assert seen[0] == seen[1]


async def test_a_repeat_gets_its_session_again_and_another_call_nothing(world: World, desk: Desk) -> None:
    signed, _, subject = await desk.hidden()
    given, call = await desk.code(), request_id()
    answers = [await desk.recover(signed, subject, given, call) for _ in range(3)]
    assert {each.user_id for each in answers} == {signed.member.id}
    assert (await refusal(desk.recover(signed, subject, given))).reason == "CHALLENGE_CLOSED"
    assert said(await refusal(desk.recover(signed, subject, await desk.code()))) == NOTHING
    assert len(await world.events(AccountReopened, signed.member.id)) == 1


async def test_of_two_numbers_at_once_the_account_gets_one(world: World, desk: Desk) -> None:
    signed, _, subject = await desk.hidden()
    given = [await desk.code() for _ in range(3)]
    done = await asyncio.gather(*(desk.recover(signed, subject, each) for each in given), return_exceptions=True)
    refused = [read_refusal(each).reason for each in done if isinstance(each, grpc.aio.AioRpcError)]
    assert refused == ["NOTHING_TO_RECOVER"] * 2
    assert len(await world.events(AccountReopened, signed.member.id)) == 1


async def test_a_sign_up_and_a_recovery_with_one_number_at_once_leave_it_with_one_account(
    people: People, desk: Desk
) -> None:
    for _ in range(3):
        signed, _, subject = await desk.hidden()
        number = people.number()
        mine, theirs = await desk.code(number), await desk.code(number)
        back, entered = await asyncio.gather(
            desk.recover(signed, subject, mine), people.verify(*theirs), return_exceptions=True
        )
        assert not isinstance(entered, BaseException)
        if isinstance(back, grpc.aio.AioRpcError):
            assert read_refusal(back).reason == "PHONE_TAKEN"
            assert entered.created
        else:
            assert entered.user_id == signed.member.id


async def test_a_process_that_dies_before_the_commit_leaves_the_account_hidden(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed, _, subject = await desk.hidden()
    given, call = await desk.code(), request_id()

    async def die(*_: object) -> None:
        raise RuntimeError("the process dies")

    with monkeypatch.context() as dying:
        dying.setattr(challenges, "use", die)
        assert (await refusal(desk.recover(signed, subject, given, call))).code == "INTERNAL"
    assert await world.events(AccountReopened, signed.member.id) == []
    assert (await desk.recover(signed, subject, given, call)).user_id == signed.member.id


async def test_the_new_owner_keeps_the_number_and_the_account_that_came_with_it(people: People, desk: Desk) -> None:
    signed, number, subject = await desk.linked()
    new = await desk.lose(signed, number)
    await desk.recover(signed, subject, await desk.code())
    assert (await people.sign_in(number)).member.id == new


async def test_a_closed_account_that_lost_its_number_comes_back_open(people: People, desk: Desk) -> None:
    signed, number, subject = await desk.linked()
    await people.accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=signed.metadata)
    await desk.lose(signed, number)
    back = await desk.recover(signed, subject, await desk.code())
    (row,) = await people.rows("users", id=signed.member.user)
    assert (back.user_id, row["closed_at"], row["erase_after"]) == (signed.member.id, None, None)


@pytest.mark.rule("SA-06")
async def test_a_suspension_stays_with_the_account(world: World, people: People, desk: Desk) -> None:
    signed, _, subject = await desk.linked()
    await apply(world, RestrictionChanged(user_id=signed.member.id, version=1, suspended=True))
    given = await desk.code()
    await people.world.superuser.execute(
        """UPDATE identity.users SET phone_hash = NULL, phone_sealed = NULL, hidden_at = clock.now(),
            erase_after = clock.now() + interval '30 days' WHERE id = $1""",
        signed.member.user,
    )
    back = await desk.recover(signed, subject, given)
    metadata = (("authorization", f"Bearer {back.tokens.access_token}"),)
    assert (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account.suspended
