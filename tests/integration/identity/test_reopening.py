"""ID-09, ID-13: a closed account opens again within 30 days, by its number and, on an unknown device, a birth date."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import grpc
import pytest
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import (
    CloseAccountRequest,
    GetAccountRequest,
    PauseAccountRequest,
    ReopenAccountRequest,
    ReopenAccountResponse,
    VerifyPhoneResponse,
)
from unora.identity.v1.events_pb2 import (
    AccountClosed,
    AccountHidden,
    AccountReopened,
    DiscoveryProfileChanged,
    NewDeviceSignedIn,
    SessionOpened,
)
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_common.messages import from_timestamp
from unora_identity.store import challenges
from unora_testing.world import World

from tests.integration.identity.people import ADA, People, Signed, apply
from tests.statements import sent_by
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-09")
RIGHT = ADA.date_of_birth
WRONG = Date(year=1990, month=12, day=11)
OWN = "own"


class Leaver:
    """A member who has closed the account."""

    def __init__(self, people: People, number: str, signed: Signed, reopen_until: datetime) -> None:
        self.people = people
        self.number = number
        self.signed = signed
        self.id = signed.member.id
        self.reopen_until = reopen_until

    async def code(self, device: str = "") -> tuple[str, str]:
        challenge = (await self.people.start(self.number, device=device)).challenge_id
        return challenge, self.people.codes(self.number)[-1]

    async def reopen(
        self,
        device: str = OWN,
        born: Date | None = None,
        request: str = "",
        given: tuple[str, str] | None = None,
        totp: str = "",
    ) -> ReopenAccountResponse:
        challenge, code = given or await self.code(device)
        asked = ReopenAccountRequest(
            request_id=request or request_id(),
            challenge_id=challenge,
            code=code,
            device_id=device,
            birth_date=born,
            totp_code=totp,
        )
        return await self.people.accounts.ReopenAccount(asked)

    async def row(self) -> dict[str, object]:
        (row,) = await self.people.rows("users", id=self.signed.member.user)
        return row


async def leaver(people: People, *, born: bool = True, ready: bool = False, paused: bool = False) -> Leaver:
    number = people.number()
    signed = await people.sign_in(number, OWN)
    if ready:
        await people.ready(signed=signed)
    elif born:
        await people.update_profile(signed)
    if paused:
        await people.accounts.PauseAccount(PauseAccountRequest(request_id=request_id()), metadata=signed.metadata)
    return await close(people, number, signed)


async def close(people: People, number: str, signed: Signed) -> Leaver:
    asked = CloseAccountRequest(request_id=request_id())
    closed = await people.accounts.CloseAccount(asked, metadata=signed.metadata)
    return Leaver(people, number, signed, from_timestamp(closed.erase_after))


async def test_signing_in_to_a_closed_account_says_until_when_it_can_be_opened_again(people: People) -> None:
    gone = await leaver(people)
    challenge, code = await gone.code()
    for _ in range(2):
        refused = await refusal(people.verify(challenge, code, device=OWN))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ACCOUNT_CLOSED")
        assert refused.metadata == {"reopen_until": gone.reopen_until.isoformat()}
    assert (await gone.reopen(given=(challenge, code))).user_id == gone.id, "the code is not used up"


async def test_a_closed_account_opens_again_with_a_session_and_is_shown_again(world: World, people: People) -> None:
    gone = await leaver(people, ready=True)
    opened = await gone.reopen()
    assert opened.user_id == gone.id
    metadata = (("authorization", f"Bearer {opened.tokens.access_token}"),)
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert (account.user_id, account.discovery_ready) == (gone.id, True)
    assert (await people.refresh(opened.tokens.refresh_token)).tokens.access_token
    row = await gone.row()
    assert (row["closed_at"], row["erase_after"], row["hidden_at"]) == (None, None, None)
    (event,) = await world.events(AccountReopened, gone.id)
    assert not event.paused
    assert [each.discovery_ready for each in await world.events(DiscoveryProfileChanged, gone.id)][-2:] == [False, True]
    # Sessions from before stay ended, and the next sign-in is like any other.
    assert (await refusal(people.refresh(gone.signed.tokens.refresh_token))).reason == "SESSION_INVALID"
    assert (await people.sign_in(gone.number, OWN)).member.id == gone.id


@pytest.mark.rule("ID-16")
async def test_a_pause_from_before_goes_on(world: World, people: People) -> None:
    gone = await leaver(people, ready=True, paused=True)
    opened = await gone.reopen()
    metadata = (("authorization", f"Bearer {opened.tokens.access_token}"),)
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account
    assert account.HasField("paused_at")
    assert not account.discovery_ready
    (event,) = await world.events(AccountReopened, gone.id)
    assert event.paused
    assert not (await world.events(DiscoveryProfileChanged, gone.id))[-1].discovery_ready


@pytest.mark.rule("SA-06")
async def test_a_suspended_member_who_opens_the_account_again_is_still_suspended(world: World, people: People) -> None:
    number = people.number()
    first = await people.sign_in(number, OWN)
    await apply(world, RestrictionChanged(user_id=first.member.id, version=1, suspended=True))
    gone = await close(people, number, await people.sign_in(number, OWN))
    opened = await gone.reopen()
    metadata = (("authorization", f"Bearer {opened.tokens.access_token}"),)
    assert (await people.accounts.GetAccount(GetAccountRequest(), metadata=metadata)).account.suspended
    refused = await refusal(
        people.accounts.PauseAccount(PauseAccountRequest(request_id=request_id()), metadata=metadata)
    )
    assert refused.reason == "ACCOUNT_SUSPENDED"


@pytest.mark.rule("ID-13")
async def test_on_an_unknown_device_the_birth_date_is_needed_though_the_account_was_in_use(
    world: World, people: People
) -> None:
    gone = await leaver(people)
    given = await gone.code()
    for call in (people.verify(*given, device="new"), gone.reopen("new", given=given)):
        assert (await refusal(call)).reason == "BIRTH_DATE_NEEDED", "nor does it tell that the account is closed"
    assert (await refusal(people.verify(*given, device="new", born=RIGHT))).reason == "ACCOUNT_CLOSED"
    assert (await gone.reopen("new", RIGHT, given=given)).user_id == gone.id
    assert len(await world.events(NewDeviceSignedIn, gone.id)) == 1


@pytest.mark.rule("ID-13", "XX-04")
async def test_without_the_birth_date_a_closed_account_cannot_be_told_from_an_unused_one(people: People) -> None:
    gone, number = await leaver(people), people.number()
    signed = await people.sign_in(number)
    await people.update_profile(signed)
    await people.leave_unused(signed)
    seen = []
    for each in (gone, Leaver(people, number, signed, datetime.now(UTC))):
        given = await each.code()
        calls = [people.verify(*given, device="new"), each.reopen("new", given=given)]
        calls += [people.verify(*given, device="new", born=WRONG), each.reopen("new", WRONG, given=given)]
        seen.append([await refusal(call) for call in calls])
    assert seen[0] == seen[1]
    assert [each.reason for each in seen[0]] == ["BIRTH_DATE_NEEDED"] * 2 + ["BIRTH_DATE_WRONG"] * 2


@pytest.mark.rule("ID-13")
async def test_wrong_dates_count_for_both_calls_together_and_the_third_takes_the_number(
    world: World, people: People
) -> None:
    gone = await leaver(people)
    given = await gone.code()
    for call, left in ((people.verify(*given, born=WRONG), "2"), (gone.reopen("", WRONG, given=given), "1")):
        refused = await refusal(call)
        assert (refused.reason, refused.metadata) == ("BIRTH_DATE_WRONG", {"tries_left": left})
    assert (await refusal(gone.reopen("", WRONG, given=given))).reason == "ACCOUNT_NOT_CLOSED"
    row = await gone.row()
    assert row["phone_hash"] is None
    assert row["closed_at"] is not None
    assert row["erase_after"] == gone.reopen_until, "it is erased when it would have been"
    assert await world.events(AccountHidden, gone.id) == [], "for others it is gone already"
    done = await people.verify(*given)
    assert done.created
    assert done.user_id != gone.id


async def test_an_account_that_is_open_or_absent_is_not_reopened_and_the_code_can_be_used(people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number, OWN)
    there = Leaver(people, number, signed, datetime.now(UTC))
    absent = Leaver(people, people.number(), signed, datetime.now(UTC))
    for each in (there, absent):
        given = await each.code()
        refused = await refusal(each.reopen(given=given))
        assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "ACCOUNT_NOT_CLOSED", {})
        assert (await people.verify(*given, device=OWN)).created == (each is absent)


async def test_a_repeat_of_the_call_gets_its_session_again(world: World, people: People) -> None:
    gone, call = await leaver(people), request_id()
    given = await gone.code()
    answers = [await gone.reopen(request=call, given=given) for _ in range(3)]
    assert {each.user_id for each in answers} == {gone.id}
    assert len({each.tokens.refresh_token for each in answers}) == 3
    assert (await refusal(people.refresh(answers[0].tokens.refresh_token))).reason == "SESSION_INVALID"
    assert len(await world.events(AccountReopened, gone.id)) == 1
    assert len(await world.events(SessionOpened, gone.id)) == 2
    assert (await refusal(gone.reopen(given=given))).reason == "CHALLENGE_CLOSED"


async def test_of_two_devices_at_once_one_opens_the_account_again(world: World, people: People) -> None:
    gone = await leaver(people)
    given = [await gone.code(), await gone.code()]
    done = await asyncio.gather(
        gone.reopen(given=given[0]), gone.reopen("new", RIGHT, given=given[1]), return_exceptions=True
    )
    refused = [read_refusal(each).reason for each in done if isinstance(each, grpc.aio.AioRpcError)]
    assert refused == ["ACCOUNT_NOT_CLOSED"]
    assert len(await world.events(AccountReopened, gone.id)) == 1


async def test_reopened_and_closed_again_it_has_thirty_days_from_then(world: World, people: People) -> None:
    gone = await leaver(people)
    await world.move_clock(timedelta(days=10))
    again = await close(people, gone.number, await people_signed(people, gone))
    assert again.reopen_until - gone.reopen_until >= timedelta(days=10)
    assert len(await world.events(AccountClosed, gone.id)) == 2


async def people_signed(people: People, gone: Leaver) -> Signed:
    opened = await gone.reopen()
    return Signed(type(gone.signed.member)(UUID(opened.user_id), opened.tokens.access_token), opened.tokens, False)


@pytest.mark.parametrize("device", [OWN, "new"])
async def test_after_thirty_days_the_number_makes_a_new_account_even_if_nothing_was_erased_yet(
    world: World, people: People, device: str
) -> None:
    gone = await leaver(people)
    await world.superuser.execute("UPDATE identity.users SET erase_after = clock.now() WHERE id = $1", UUID(gone.id))
    given = await gone.code()
    assert (await refusal(gone.reopen(device, RIGHT, given=given))).reason == "ACCOUNT_NOT_CLOSED"
    done = await people.verify(*given, device=device)
    assert done.created
    assert (await gone.row())["phone_hash"] is None
    assert await world.events(AccountReopened, gone.id) == []


async def test_a_process_that_dies_before_the_commit_leaves_the_account_closed(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, call = await leaver(people), request_id()
    given = await gone.code()

    async def die(*_: object) -> None:
        raise RuntimeError("the process dies")

    with monkeypatch.context() as dying:
        dying.setattr(challenges, "use", die)
        assert (await refusal(gone.reopen(request=call, given=given))).code == "INTERNAL"
    assert (await gone.row())["closed_at"] is not None
    assert await world.events(AccountReopened, gone.id) == []
    assert (await gone.reopen(request=call, given=given)).user_id == gone.id


@pytest.mark.rule("ID-02", "XX-04")
async def test_before_the_right_code_nobody_learns_that_an_account_is_closed(people: People) -> None:
    gone = await leaver(people)
    number = people.number()
    await people.sign_in(number)
    seen = []
    for each in (gone.number, number, people.number()):
        with sent_by("identity") as statements:
            challenge = (await people.start(each)).challenge_id
            wrong = f"{(int(people.codes(each)[-1]) + 1) % 10**6:06d}"
            asked = ReopenAccountRequest(request_id=request_id(), challenge_id=challenge, code=wrong)
            answers = [
                await refusal(people.verify(challenge, wrong)),
                await refusal(people.accounts.ReopenAccount(asked)),
            ]
        seen.append((answers, statements))
    assert seen == [seen[0]] * 3


async def test_closing_and_a_sign_in_at_once_leave_no_session(people: People) -> None:
    """Either the sign-in came first, and its session ended with the account, or it was told that it is closed."""
    for _ in range(4):
        number = people.number()
        signed = await people.sign_in(number, OWN)
        challenge = (await people.start(number, device=OWN)).challenge_id
        code = people.codes(number)[-1]
        asked = CloseAccountRequest(request_id=request_id())
        entered, _ = await asyncio.gather(
            people.verify(challenge, code, device=OWN),
            people.accounts.CloseAccount(asked, metadata=signed.metadata),
            return_exceptions=True,
        )
        if isinstance(entered, VerifyPhoneResponse):
            assert (await refusal(people.refresh(entered.tokens.refresh_token))).reason == "SESSION_INVALID"
        else:
            assert isinstance(entered, grpc.aio.AioRpcError)
            assert read_refusal(entered).reason == "ACCOUNT_CLOSED"
