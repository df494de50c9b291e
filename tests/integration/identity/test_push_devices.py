"""ID-17: push tokens belong to one session; only the notifier reads them, and learns whom it may tell, and when."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from unora.identity.v1.account_service_pb2 import RevokeOtherSessionsRequest, RevokeSessionRequest
from unora.identity.v1.device_service_pb2 import (
    PUSH_PLATFORM_FCM,
    UnregisterDeviceRequest,
)
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_testing.world import World

from tests.integration.identity.people import Signed, apply
from tests.integration.identity.pushes import SECURITY, STREAKS, Pushes
from tests.integration.identity.stored import clean_up
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-17")


@pytest.fixture
def pushes(world: World) -> Pushes:
    return Pushes(world)


async def test_a_registered_device_is_listed_without_its_token_and_told_with_it(pushes: Pushes) -> None:
    signed, token = await pushes.people.sign_in(), pushes.token()
    device = await pushes.register(signed, token, locale="pt-BR")
    assert await pushes.listed(signed) == [device]
    assert token not in str(device)
    assert (device.platform, device.locale, device.current) == (PUSH_PLATFORM_FCM, "pt-BR", True)
    (recipient,) = (await pushes.recipients(signed)).values()
    (target,) = recipient.targets
    assert (target.device_id, target.token, target.locale) == (device.device_id, token, "pt-BR")
    assert target.session_id == device.session_id
    assert not recipient.HasField("not_before")


async def test_a_token_is_nowhere_in_the_database_as_it_is(pushes: Pushes) -> None:
    signed, token = await pushes.people.sign_in(), pushes.token()
    call = request_id()
    await pushes.register(signed, token, call=call)
    for table in ("push_devices", "kept_answers", "outbox"):
        for row in await pushes.people.rows(table):
            assert token not in str(row)
            assert token.encode() not in b"".join(value for value in row.values() if isinstance(value, bytes))
    (row,) = [row for row in await pushes.people.rows("push_devices") if row["session_id"] == UUID(_session(signed))]
    assert row["token_hash"] == pushes.people.resources.hasher.push_token(token)


def _session(signed: Signed) -> str:
    body = signed.tokens.access_token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=="))["sid"])


async def test_a_session_has_one_token_and_keeps_its_device_when_the_token_changes(pushes: Pushes) -> None:
    signed, tokens = await pushes.people.sign_in(), [pushes.token() for _ in range(3)]
    devices = [await pushes.register(signed, token) for token in tokens]
    again = await pushes.register(signed, tokens[-1])
    assert {device.device_id for device in [*devices, again]} == {devices[0].device_id}
    assert await pushes.tokens(signed) == [tokens[-1]]


async def test_a_token_that_is_registered_elsewhere_moves(pushes: Pushes) -> None:
    first, second = await pushes.people.sign_in(), await pushes.people.sign_in()
    token = pushes.token()
    before = await pushes.register(first, token)
    after = await pushes.register(second, token)
    assert before.device_id != after.device_id
    assert await pushes.listed(first) == []
    assert await pushes.tokens(first, second) == [token]
    assert set(await pushes.recipients(first, second)) == {second.member.id}


async def test_of_many_who_register_one_token_at_once_one_has_it(pushes: Pushes) -> None:
    members = [await pushes.people.sign_in() for _ in range(6)]
    token = pushes.token()
    await asyncio.gather(*(pushes.register(member, token) for member in members * 4))
    assert len(await pushes.recipients(*members)) == 1
    assert (
        len(await pushes.people.rows("push_devices", token_hash=pushes.people.resources.hasher.push_token(token))) == 1
    )


async def test_two_who_swap_their_tokens_at_once_have_one_each(pushes: Pushes) -> None:
    a, b = await pushes.people.sign_in(), await pushes.people.sign_in()
    for _ in range(5):
        first, second = pushes.token(), pushes.token()
        await pushes.register(a, first)
        await pushes.register(b, second)
        await asyncio.gather(pushes.register(a, second), pushes.register(b, first))
        assert await pushes.tokens(a, b) == sorted((first, second))


async def test_a_repeat_of_the_call_gets_the_first_answer(pushes: Pushes) -> None:
    signed, token, call = await pushes.people.sign_in(), pushes.token(), request_id()
    first = await pushes.register(signed, token, call=call)
    assert await pushes.register(signed, token, call=call) == first


async def test_of_more_than_ten_devices_those_registered_first_go(pushes: Pushes) -> None:
    number = pushes.people.number()
    sessions, tokens = [], [pushes.token() for _ in range(12)]
    for token in tokens:
        await pushes.world.move_clock(timedelta(hours=1))  # codes of the hour before no longer count
        sessions.append(await pushes.people.sign_in(number))
        await pushes.register(sessions[-1], token)
    assert await pushes.tokens(sessions[0]) == sorted(tokens[2:])
    assert len(await pushes.listed(sessions[0])) == 10
    assert [device.current for device in await pushes.listed(sessions[-1])] == [True] + [False] * 9


async def test_only_the_members_own_devices_can_be_removed(pushes: Pushes) -> None:
    own, other = await pushes.people.sign_in(), await pushes.people.sign_in()
    device = await pushes.register(own)
    for signed, left in ((other, 1), (own, 0), (own, 0)):
        asked = UnregisterDeviceRequest(request_id=request_id(), device_id=device.device_id)
        await pushes.devices.UnregisterDevice(asked, metadata=signed.metadata)
        assert len(await pushes.listed(own)) == left


# How a session ends


async def signs_out(pushes: Pushes, signed: Signed, _: Signed) -> None:
    asked = RevokeSessionRequest(request_id=request_id(), session_id=_session(signed))
    await pushes.people.accounts.RevokeSession(asked, metadata=signed.metadata)


async def is_thrown_out(pushes: Pushes, signed: Signed, other: Signed) -> None:
    asked = RevokeOtherSessionsRequest(request_id=request_id())
    await pushes.people.accounts.RevokeOtherSessions(asked, metadata=other.metadata)


async def is_stolen(pushes: Pushes, signed: Signed, _: Signed) -> None:
    await pushes.people.refresh(signed.tokens.refresh_token)
    assert (await refusal(pushes.people.refresh(signed.tokens.refresh_token))).reason == "SESSION_INVALID"


async def is_suspended(pushes: Pushes, signed: Signed, _: Signed) -> None:
    event = RestrictionChanged(user_id=signed.member.id, version=1, suspended=True)
    await apply(pushes.world, event)


@pytest.mark.parametrize("end", [signs_out, is_thrown_out, is_stolen, is_suspended], ids=lambda each: each.__name__)
async def test_a_device_goes_with_its_session(pushes: Pushes, end: Any) -> None:
    number = pushes.people.number()
    signed, other = await pushes.people.sign_in(number), await pushes.people.sign_in(number)
    token, kept = pushes.token(), pushes.token()
    await pushes.register(signed, token)
    await pushes.register(other, kept)
    await end(pushes, signed, other)
    stored = {row["token_hash"] for row in await pushes.people.rows("push_devices")}
    hashed = pushes.people.resources.hasher.push_token
    assert hashed(token) not in stored
    assert (hashed(kept) in stored) == (end is not is_suspended)
    assert await pushes.tokens(other) == ([] if end is is_suspended else [kept])
    # Processes learn of the revocation a moment later; until then the session must not get a device again.
    assert (await refusal(pushes.register(signed, token))).code == "UNAUTHENTICATED"


async def test_of_a_sign_out_and_a_registration_at_once_no_device_is_left(pushes: Pushes) -> None:
    for _ in range(5):
        signed = await pushes.people.sign_in()
        await asyncio.gather(
            signs_out(pushes, signed, signed),
            *(pushes.register(signed) for _ in range(3)),
            return_exceptions=True,
        )
        assert await pushes.people.rows("push_devices", session_id=UUID(_session(signed))) == []


async def test_a_session_that_can_no_longer_be_refreshed_is_told_nothing_and_its_device_goes_with_it(
    pushes: Pushes,
) -> None:
    signed, token = await pushes.people.sign_in(), pushes.token()
    await pushes.register(signed, token)
    session = UUID(_session(signed))
    await pushes.world.superuser.execute(
        "UPDATE identity.refresh_tokens SET expires_at = clock_timestamp() WHERE session_id = $1", session
    )
    assert await pushes.recipients(signed) == {}
    jobs = clean_up(pushes.world, timedelta(days=8))
    while await jobs.purge_sign_ins():
        pass
    assert await pushes.people.rows("push_devices", session_id=session) == []


async def test_a_suspended_member_is_told_nothing_and_gets_no_device(pushes: Pushes, world: World) -> None:
    number = pushes.people.number()
    signed = await pushes.people.sign_in(number)
    await pushes.register(signed)
    await world.superuser.execute(  # as if its device had stayed
        "UPDATE identity.users SET suspended_at = clock.now() WHERE id = $1", signed.member.user
    )
    for category in (STREAKS, SECURITY):
        assert await pushes.recipients(signed, category=category) == {}
    again = await pushes.people.sign_in(number)
    assert (await refusal(pushes.register(again))).code == "PERMISSION_DENIED"


# Settings
