"""ID-13: a number may have another owner by now, so its code is not always enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import grpc
import pytest
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import VerifyPhoneResponse
from unora.identity.v1.events_pb2 import (
    AccountCreated,
    AccountHidden,
    NewDeviceSignedIn,
    PhoneChanged,
    SessionRevoked,
)
from unora_identity.store import challenges
from unora_testing.world import World

from tests.integration.identity.number_owners import RIGHT, WRONG, owner, said
from tests.integration.identity.people import People
from tests.support import race, read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-13")


async def test_the_right_code_opens_nothing_until_the_birth_date_comes(world: World, people: People) -> None:
    unused = await owner(people)
    challenge, code = await unused.code()
    for _ in range(2):
        refused = await refusal(people.verify(challenge, code, device="new"))
        assert said(refused) == ("BIRTH_DATE_NEEDED", {})
    done = await people.verify(challenge, code, device="new", born=RIGHT)
    assert (done.user_id, done.created) == (unused.signed.member.id, False)
    assert len(await world.events(NewDeviceSignedIn, done.user_id)) == 1
    assert (await people.refresh(unused.signed.tokens.refresh_token)).tokens.access_token, "old sessions go on"
    # It is in use again, so the next device needs a code alone.
    assert (await people.sign_in(unused.number, "newer")).member.id == unused.signed.member.id


async def test_a_device_that_the_account_knows_needs_a_code_alone(people: People) -> None:
    unused = await owner(people, "own")
    assert said(await refusal(people.verify(*await unused.code(), device="other")))[0] == "BIRTH_DATE_NEEDED"
    assert (await people.sign_in(unused.number, "own")).member.id == unused.signed.member.id


@pytest.mark.parametrize(("days", "needed"), [(44.9, False), (46.1, True)])
async def test_an_account_is_unused_when_no_session_was_refreshed_for_45_days(
    people: People, days: float, needed: bool
) -> None:
    """To a day: the time of last use is kept once a day."""
    number = people.number()
    signed = await people.sign_in(number)
    await people.update_profile(signed)
    await people.leave_unused(signed, 100)
    await people.refresh(signed.tokens.refresh_token)
    await people.leave_unused(signed, days)
    challenge = (await people.start(number)).challenge_id
    call = people.verify(challenge, people.codes(number)[-1])
    if needed:
        assert said(await refusal(call))[0] == "BIRTH_DATE_NEEDED"
    else:
        assert (await call).user_id == signed.member.id


@pytest.mark.parametrize(("days", "needed"), [(44, False), (46, True)])
async def test_of_an_account_from_before_its_tokens_tell_when_it_was_used(
    world: World, people: People, days: int, needed: bool
) -> None:
    used = await owner(people)
    await world.superuser.execute(
        "UPDATE identity.users SET last_used_at = NULL WHERE id = $1", used.signed.member.user
    )
    await world.superuser.execute(
        """UPDATE identity.refresh_tokens SET issued_at = issued_at - $2 * interval '1 day'
        WHERE session_id IN (SELECT id FROM identity.sessions WHERE user_id = $1)""",
        used.signed.member.user,
        days,
    )
    answer = await asyncio.gather(people.verify(*await used.code()), return_exceptions=True)
    assert isinstance(answer[0], grpc.aio.AioRpcError) == needed


async def test_the_time_of_last_use_is_written_once_a_day(world: World, people: People) -> None:
    signed = await people.sign_in()

    async def used() -> object:
        (row,) = await people.rows("users", id=signed.member.user)
        return row["last_used_at"]

    first = await used()
    tokens = (await people.refresh(signed.tokens.refresh_token)).tokens
    assert await used() == first
    await people.leave_unused(signed, 1.01)
    await people.refresh(tokens.refresh_token)
    assert await used() > first  # type: ignore[operator]


async def test_a_date_counts_only_beside_the_right_code(people: People) -> None:
    unused = await owner(people)
    challenge, code = await unused.code()
    for born in (RIGHT, WRONG, None):
        refused = await refusal(people.verify(challenge, f"{(int(code) + 1) % 10**6:06d}", born=born))
        assert refused.reason == "CODE_WRONG"
    assert await unused.tries() == 0


async def test_what_is_no_date_is_refused_and_is_no_try(people: People) -> None:
    unused = await owner(people)
    for born in (Date(year=1990, month=2, day=30), Date(year=1990), Date(year=1990, month=12)):
        refused = await refusal(people.verify(*await unused.code(), born=born))
        assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["birth_date"])
    assert await unused.tries() == 0
    assert said(await refusal(people.verify(*await unused.code(), born=Date())))[0] == "BIRTH_DATE_NEEDED"


async def test_the_third_wrong_date_over_all_codes_and_devices_moves_the_number(world: World, people: People) -> None:
    unused = await owner(people)
    old = unused.signed
    assert said(await unused.try_date(WRONG, "one")) == ("BIRTH_DATE_WRONG", {"tries_left": "2"})
    assert said(await unused.try_date(WRONG, "two")) == ("BIRTH_DATE_WRONG", {"tries_left": "1"})
    answer = await unused.try_date(WRONG, "three")
    assert isinstance(answer, VerifyPhoneResponse)
    assert answer.created
    assert answer.user_id != old.member.id
    assert len(await world.events(AccountCreated, answer.user_id)) == 1
    assert (await people.sign_in(unused.number, "three")).member.id == answer.user_id

    row = await unused.row()
    assert (row["phone_hash"], row["phone_sealed"]) == (None, None)
    assert row["hidden_at"] is not None
    assert row["erase_after"] - row["hidden_at"] == timedelta(days=30)  # type: ignore[operator]
    assert await unused.tries() == 0
    assert (await refusal(people.refresh(old.tokens.refresh_token))).reason == "SESSION_INVALID"
    (hidden,) = await world.events(AccountHidden, old.member.id)
    (made,) = await world.events(AccountCreated, answer.user_id)
    assert (hidden.new_user_id, hidden.phone_digest) == (answer.user_id, made.phone_digest)
    assert len(await world.events(SessionRevoked, old.member.id)) == 1
    assert await world.events(PhoneChanged, old.member.id) == []


async def test_the_right_date_forgets_the_wrong_ones(people: People) -> None:
    unused = await owner(people)
    for left in ("2", "1"):
        assert said(await unused.try_date(WRONG))[1] == {"tries_left": left}
    assert isinstance(await unused.try_date(RIGHT), VerifyPhoneResponse)
    await people.leave_unused(unused.signed)
    assert said(await unused.try_date(WRONG))[1] == {"tries_left": "2"}


async def test_wrong_dates_count_for_a_year(world: World, people: People) -> None:
    unused = await owner(people)
    for left in ("2", "1"):
        assert said(await unused.try_date(WRONG))[1] == {"tries_left": left}
    await world.move_clock(timedelta(days=365))
    assert said(await unused.try_date(WRONG))[1] == {"tries_left": "2"}


@pytest.mark.parametrize("born", [None, RIGHT])
async def test_an_account_without_a_birth_date_gives_way_at_once(
    world: World, people: People, born: Date | None
) -> None:
    unused = await owner(people, born=False)
    done = await people.verify(*await unused.code(), born=born)
    assert done.created
    assert (await unused.row())["hidden_at"] is not None
    assert len(await world.events(AccountHidden, unused.signed.member.id)) == 1


async def test_a_repeat_of_a_wrong_call_is_counted_once_and_its_date_is_not_looked_at(people: People) -> None:
    unused, call = await owner(people), request_id()
    challenge, code = await unused.code()
    for born in (WRONG, WRONG, RIGHT, Date(year=1991, month=1, day=1), WRONG):
        refused = await refusal(people.verify(challenge, code, call, born=born))
        assert said(refused) == ("BIRTH_DATE_WRONG", {"tries_left": "2"})
    assert await unused.tries() == 1
    assert (await people.verify(challenge, code, born=RIGHT)).user_id == unused.signed.member.id


async def test_a_repeat_of_the_call_that_moved_the_number_gets_its_session_again(people: People) -> None:
    unused, call = await owner(people), request_id()
    for _ in range(2):
        await unused.try_date(WRONG)
    challenge, code = await unused.code()
    answers = [await people.verify(challenge, code, call, born=WRONG) for _ in range(3)]
    assert {(each.user_id, each.created) for each in answers} == {(answers[0].user_id, True)}


async def test_wrong_dates_at_once_with_many_codes_are_counted_exactly(world: World, people: People) -> None:
    """Whoever comes after the third signs in to the new account, as anyone who has the number."""
    unused = await owner(people)
    given = [await unused.code() for _ in range(4)]
    calls = [people.verify(*each, born=WRONG, device=f"d{n}") for n, each in enumerate(given) for _ in range(3)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    refused = [read_refusal(each) for each in done if isinstance(each, grpc.aio.AioRpcError)]
    opened = [each for each in done if isinstance(each, VerifyPhoneResponse)]
    wrong = [each.metadata["tries_left"] for each in refused if each.reason == "BIRTH_DATE_WRONG"]
    assert sorted(wrong) == ["1", "2"]
    assert {each.reason for each in refused} <= {"BIRTH_DATE_WRONG", "CHALLENGE_CLOSED"}
    assert Counter(each.created for each in opened)[True] == 1
    assert len({each.user_id for each in opened}) == 1
    assert unused.signed.member.id not in {each.user_id for each in opened}
    assert len(await world.events(AccountHidden, unused.signed.member.id)) == 1


async def test_the_owner_on_a_known_device_and_a_third_wrong_date_at_once_leave_one_account_with_the_number(
    people: People,
) -> None:
    for turn in range(4):
        unused = await owner(people, "own")
        for _ in range(2):
            await unused.try_date(WRONG)
        mine, theirs = await unused.code(), await unused.code()
        calls = [people.verify(*mine, device="own"), people.verify(*theirs, device="other", born=WRONG)]
        own, other = await race(turn, calls)
        if own.user_id == unused.signed.member.id:  # it came first, so that the account is in use
            assert (other.user_id, other.created) == (own.user_id, False)
        else:
            assert (other.user_id, other.created, own.created) == (own.user_id, True, False)
            assert (await unused.row())["phone_hash"] is None


async def test_a_process_that_dies_before_the_commit_leaves_the_number_where_it_was(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused, call = await owner(people), request_id()
    for _ in range(2):
        await unused.try_date(WRONG)
    challenge, code = await unused.code()

    async def die(*_: object) -> None:
        raise RuntimeError("the process dies")

    with monkeypatch.context() as dying:
        dying.setattr(challenges, "use", die)
        assert (await refusal(people.verify(challenge, code, call, born=WRONG))).code == "INTERNAL"
    row = await unused.row()
    assert (row["hidden_at"], await unused.tries()) == (None, 2)
    assert row["phone_hash"] is not None
    assert await world.events(AccountHidden, unused.signed.member.id) == []
    assert (await people.verify(challenge, code, call, born=WRONG)).created
