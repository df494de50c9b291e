"""ID-12: a sign-in from a device that the account does not know is told as an event."""

from __future__ import annotations

import asyncio

import pytest
from unora.identity.v1.account_service_pb2 import RevokeSessionRequest
from unora.identity.v1.events_pb2 import NewDeviceSignedIn, SessionOpened
from unora_testing.world import World

from tests.integration.identity.people import People, Signed
from tests.support import request_id

pytestmark = pytest.mark.rule("ID-12")


async def told(world: World, signed: Signed) -> list[str]:
    """The sessions that were told as of a new device, in order."""
    return [event.session_id for event in await world.events(NewDeviceSignedIn, signed.member.id)]


async def opened(world: World, signed: Signed) -> list[str]:
    return [event.session_id for event in await world.events(SessionOpened, signed.member.id)]


async def end(people: People, by: Signed, session: str) -> None:
    asked = RevokeSessionRequest(request_id=request_id(), session_id=session)
    await people.accounts.RevokeSession(asked, metadata=by.metadata)


async def test_a_new_device_is_told_with_its_session_and_a_known_one_is_not(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number, device="first")
    for device in ("first", "second", "first", "second"):
        await people.sign_in(number, device=device)
    _, _, second, _, _ = await opened(world, signed)
    assert await told(world, signed) == [second]
    (event,) = await world.events(NewDeviceSignedIn, signed.member.id)
    assert {field.name for field, _ in event.ListFields()} == {"user_id", "version", "session_id", "occurred_at"}


async def test_the_sign_in_that_creates_the_account_is_not_told(world: World, people: People) -> None:
    for device in ("", "first"):
        assert await told(world, await people.sign_in(device=device)) == []


async def test_a_sign_in_that_names_no_device_is_told_each_time(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    for _ in range(2):
        await people.sign_in(number)
    assert await told(world, signed) == (await opened(world, signed))[1:]


async def test_a_device_is_known_to_its_own_account_only(world: World, people: People) -> None:
    await people.sign_in(device="shared")
    number = people.number()
    signed = await people.sign_in(number, device="other")
    await people.sign_in(number, device="shared")
    assert len(await told(world, signed)) == 1


async def test_a_repeat_of_the_call_tells_nothing_new(world: World, people: People) -> None:
    number, call = people.number(), request_id()
    signed = await people.sign_in(number, device="first")
    challenge = (await people.start(number)).challenge_id
    for _ in range(3):
        await people.verify(challenge, people.codes(number)[-1], call, device="second")
    assert len(await told(world, signed)) == 1


async def test_of_two_sign_ins_of_a_new_device_at_once_one_is_told(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number, device="first")
    challenges = [(await people.start(number)).challenge_id for _ in range(2)]
    codes = people.codes(number)[1:]
    await asyncio.gather(
        *(people.verify(challenge, code, device="new") for challenge, code in zip(challenges, codes, strict=True))
    )
    assert len(await told(world, signed)) == 1


async def test_a_device_that_signed_out_is_known_and_one_that_was_thrown_out_is_not(
    world: World, people: People
) -> None:
    number = people.number()
    signed = await people.sign_in(number, device="first")
    other = await people.sign_in(number, device="other")
    _, session = await opened(world, signed)
    await end(people, other, session)
    other = await people.sign_in(number, device="other")
    assert len(await told(world, signed)) == 1

    session = (await opened(world, signed))[-1]
    await end(people, signed, session)
    await people.sign_in(number, device="other")
    assert len(await told(world, signed)) == 2
