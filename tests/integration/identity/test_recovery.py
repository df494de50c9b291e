"""ID-13: an account that lost its number comes back for 30 days, by a linked account of a provider or its Gov ID."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import (
    CloseAccountRequest,
    GetAccountRequest,
    LinkedAccount,
    RecoverAccountRequest,
    RecoverAccountResponse,
    RecoveryProof,
    StartRecoveryCheckRequest,
    StartRecoveryCheckResponse,
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

from tests.integration.identity.people import ADA, People, Signed, apply
from tests.integration.identity.stored import clean_up
from tests.integration.identity.test_gov_id import Provider as GovId
from tests.integration.identity.test_gov_id import fresh
from tests.integration.identity.test_oauth import Provider as OpenId
from tests.statements import sent_by
from tests.support import Refusal, read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-13")
WRONG = Date(year=1990, month=12, day=11)
Code = tuple[str, str]


class Desk:
    """People who want an account back."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.openid = OpenId(world)
        self.gov = GovId(world, people)

    async def code(self, number: str = "") -> Code:
        """A challenge to a number, by default a new one, and its code."""
        number = number or self.people.number()
        challenge = (await self.people.start(number)).challenge_id
        return challenge, self.people.codes(number)[-1]

    async def linked(self, *, ready: bool = False) -> tuple[Signed, str, str]:
        """A member with a linked account: with the number, and the subject."""
        number, subject = self.people.number(), f"subject-{uuid4()}"
        signed = await self.people.sign_in(number, "own")
        if ready:
            await self.people.ready(signed=signed)
        else:
            await self.people.update_profile(signed)
        await self.openid.link(signed, self.openid.token(signed, subject))
        return signed, number, subject

    async def lose(self, signed: Signed, number: str) -> str:
        """The member's number goes to a new account, whose id this returns."""
        await self.people.leave_unused(signed)
        given = await self.code(number)
        for _ in range(2):
            assert (await refusal(self.people.verify(*given, born=WRONG))).reason == "BIRTH_DATE_WRONG"
        done = await self.people.verify(*given, born=WRONG)
        assert done.created
        return done.user_id

    async def hidden(self, *, ready: bool = False) -> tuple[Signed, str, str]:
        """A member who has lost the number: with that, and the subject of a linked account."""
        signed, number, subject = await self.linked(ready=ready)
        await self.lose(signed, number)
        return signed, number, subject

    async def recover(
        self,
        signed: Signed,
        subject: str,
        given: Code,
        request: str = "",
        device: str = "",
        *,
        replaces: bool = False,
        **claims: Any,
    ) -> RecoverAccountResponse:
        token = self.openid.token(signed, subject, **{"nonce": given[0], **claims})
        linked = LinkedAccount(provider="played", id_token=token)
        return await self.ask(given, request, device, replaces=replaces, linked_account=linked)

    async def ask(
        self, given: Code, request: str = "", device: str = "", *, replaces: bool = False, **proof: Any
    ) -> RecoverAccountResponse:
        asked = RecoverAccountRequest(
            request_id=request or request_id(),
            challenge_id=given[0],
            code=given[1],
            device_id=device,
            proof=RecoveryProof(**proof),
            replaces_account=replaces,
        )
        return await self.people.accounts.RecoverAccount(asked)

    async def start_check(self, given: Code, request: str = "") -> StartRecoveryCheckResponse:
        asked = StartRecoveryCheckRequest(
            request_id=request or request_id(),
            challenge_id=given[0],
            code=given[1],
            name=ADA.name,
            date_of_birth=ADA.date_of_birth,
        )
        return await self.people.accounts.StartRecoveryCheck(asked)

    async def verified(self) -> tuple[Signed, str, str]:
        """A member with a verified Gov ID who has lost the number: with that, and the provider's token."""
        number, token = self.people.number(), fresh()
        signed = await self.people.sign_in(number)
        await self.people.update_profile(signed)
        await self.gov.result((await self.gov.start(signed)).reference, token)
        await self.lose(signed, number)
        return signed, number, token


@pytest.fixture
def desk(world: World, people: People) -> Desk:
    return Desk(world, people)


def said(refused: Refusal) -> tuple[str, str, dict[str, str]]:
    return refused.code, refused.reason, refused.metadata


NOTHING: Final[tuple[str, str, dict[str, str]]] = ("FAILED_PRECONDITION", "NOTHING_TO_RECOVER", {})


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


@pytest.mark.rule("ID-06")
async def test_it_comes_back_by_its_gov_id(world: World, people: People, desk: Desk) -> None:
    signed, _, token = await desk.verified()
    number = people.number()
    given = await desk.code(number)
    check = await desk.start_check(given)
    assert check.reference in check.url
    pending = await refusal(desk.ask(given, gov_id_reference=check.reference))
    assert said(pending) == ("FAILED_PRECONDITION", "GOV_ID_PENDING", {})
    await desk.gov.result(check.reference, token)
    await world.move_clock(timedelta(minutes=20))  # a check may take longer than a code lives
    given = await desk.code(number)
    assert (await desk.ask(given, gov_id_reference=check.reference)).user_id == signed.member.id
    (stored,) = await people.rows("recovery_checks", id=UUID(check.reference))
    assert ADA.name not in str(stored)
    assert (await people.sign_in(number)).member.id == signed.member.id


async def test_another_person_another_number_and_a_refused_check_recover_nothing(
    world: World, people: People, desk: Desk
) -> None:
    signed, _, token = await desk.verified()
    number = people.number()
    given, other = await desk.code(number), await desk.code()
    stranger, refused, proven = [(await desk.start_check(given)).reference for _ in range(3)]
    await desk.gov.result(stranger)
    await desk.gov.result(refused, token, "refused")
    await desk.gov.result(proven, token)
    await desk.gov.result(proven, token, "refused")  # a verification is final
    for code, reference in ((given, stranger), (given, refused), (other, proven), (given, request_id())):
        assert said(await refusal(desk.ask(code, gov_id_reference=reference))) == NOTHING
    assert (await desk.ask(given, gov_id_reference=proven)).user_id == signed.member.id


async def test_a_check_counts_for_a_day_and_is_deleted_then(world: World, people: People, desk: Desk) -> None:
    _, _, token = await desk.verified()
    number = people.number()
    reference = (await desk.start_check(await desk.code(number))).reference
    await desk.gov.result(reference, token)
    await world.move_clock(timedelta(days=1))
    assert said(await refusal(desk.ask(await desk.code(number), gov_id_reference=reference))) == NOTHING
    await clean_up(world, timedelta(hours=24)).purge_sign_ins()
    assert len(await people.rows("recovery_checks", id=UUID(reference))) == 1
    await clean_up(world, timedelta(hours=26)).purge_sign_ins()
    assert await people.rows("recovery_checks", id=UUID(reference)) == []


async def test_a_check_needs_the_right_code_and_leaves_it_usable(people: People, desk: Desk) -> None:
    number = people.number()
    challenge, code = await desk.code(number)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert (await refusal(desk.start_check((challenge, wrong)))).metadata == {"tries_left": "4"}
    assert await people.rows("recovery_checks", phone_hash=people.resources.hasher.phone(number)) == []
    call = request_id()
    first = await desk.start_check((challenge, code), call)
    assert await desk.start_check((challenge, code), call) == first
    assert (await people.verify(challenge, code)).created
    assert (await refusal(desk.start_check((challenge, code)))).reason == "CHALLENGE_CLOSED"


@pytest.mark.rule("ID-06")
async def test_a_number_has_five_checks_a_day(world: World, people: People, desk: Desk) -> None:
    given = await desk.code()
    done = await asyncio.gather(*(desk.start_check(given) for _ in range(7)), return_exceptions=True)
    refused = [read_refusal(each) for each in done if isinstance(each, grpc.aio.AioRpcError)]
    assert [(each.code, each.reason) for each in refused] == [("RESOURCE_EXHAUSTED", "TOO_MANY_CHECKS")] * 2
    assert "retry_at" in refused[0].metadata


async def test_a_wrong_birth_date_is_deleted_when_it_no_longer_counts(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    await people.update_profile(signed)
    await people.leave_unused(signed)
    challenge = (await people.start(number)).challenge_id
    await refusal(people.verify(challenge, people.codes(number)[-1], born=WRONG))
    await clean_up(world, timedelta(days=365)).purge_sign_ins()
    assert len(await people.rows("wrong_birth_dates", user_id=signed.member.user)) == 1
    await clean_up(world, timedelta(days=365, hours=2)).purge_sign_ins()
    assert await people.rows("wrong_birth_dates", user_id=signed.member.user) == []
