"""The notifier as a process of its own: a user of NATS with the certificate `notifier`, identity, and FCM."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from unora_common.streams import MAX_ACK_PENDING_OUTSIDE
from unora_notifier.kinds import KINDS
from unora_notifier.texts import TEXTS
from unora_testing.deadlines import eventually, within
from unora_testing.world import World

from tests.integration.identity.people import ADA
from tests.integration.identity.pushes import Pushes
from tests.integration.notifier.google import Answer, Google
from tests.integration.notifier.people import event
from tests.integration.notifier.processes import notifier
from tests.integration.sdk.platform import Platform

pytestmark = pytest.mark.rule("ID-17")


@pytest.fixture(scope="module")
async def platform(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A NATS of its own, with the authority of the world."""
    authority = world.certificates["notifier"].ca.parent
    made = Platform(tmp_path_factory.mktemp("platform"), "notifier", [kind.event for kind in KINDS], authority)
    await made.start()
    yield made
    await made.stop()


def variables(platform: Platform, world: World, folder: Path, **more: str) -> dict[str, str]:
    server = world.apps["identity"].server
    assert server is not None
    own = {"UNORA_IDENTITY_ADDRESS": server.address, "UNORA_NOTIFIER_FOLDER": str(folder / "notes")}
    return platform.environment() | own | more


async def test_each_kind_goes_to_the_console_and_it_stops_cleanly(
    platform: Platform, world: World, tmp_path: Path
) -> None:
    pushes, now = Pushes(world), await world.now()
    signed, token = await pushes.people.sign_in(), pushes.token()
    await pushes.register(signed, token)
    for kind in KINDS:
        fields: dict[str, Any] = dict.fromkeys(kind.members, signed.member.id)
        await platform.publish(event(kind.name, now, **fields).message)
    async with notifier(variables(platform, world, tmp_path)) as process:
        await platform.until_done()
        process.send_signal(signal.SIGTERM)
        output, errors = await within(process.communicate())
    assert process.returncode == 0, errors.decode()
    expected = {f"{signed.member.id}  fcm  {kind.name}: {TEXTS['en'][kind.name]}" for kind in KINDS}
    assert sorted(output.decode().splitlines()) == sorted(expected)
    assert token not in errors.decode()


async def test_fcm_is_tried_again_and_a_killed_process_pushes_nothing_twice(
    platform: Platform, world: World, google: Google, tmp_path: Path
) -> None:
    pushes = Pushes(world)
    signed, dead = await pushes.people.sign_in(), await pushes.people.sign_in()
    await pushes.register(signed, token := pushes.token())
    await pushes.register(dead, gone := pushes.token())
    google.answers, google.dead = [Answer(503, retry_after="0")], {gone}
    fields = {"UNORA_FCM_ACCOUNT": str(google.account(tmp_path)), "UNORA_FCM_URL": google.url}
    env = variables(platform, world, tmp_path, **fields)
    match = event("match", await world.now(), user_a_id=signed.member.id, user_b_id=dead.member.id).message
    (identifier,) = await platform.publish(match)
    async with notifier(env) as process:
        await platform.until_done()
        await eventually(lambda: [message["token"] for message in google.sent] == [token], "it is pushed")
        process.kill()
    assert await pushes.tokens(signed, dead) == [token]
    (tmp_path / "notes" / "events.db").unlink()  # the subscriber hears it again, as after a replay
    await platform.publish(match, ids=[identifier], headers={"Nats-Msg-Id": "again"})
    async with notifier(env) as process:
        await platform.until_done()
    assert [message["token"] for message in google.sent] == [token]


async def test_quiet_hours_of_many_hold_up_nobody_else(platform: Platform, world: World, tmp_path: Path) -> None:
    """The stream delivers no more events of a type to who holds 500 without an acknowledgement."""
    pushes, now = Pushes(world), await world.now()
    quiet, other = await pushes.people.sign_in(), await pushes.people.sign_in()
    for each in (quiet, other):
        await pushes.people.update_profile(each, ADA)
        await pushes.register(each, pushes.token())
    await pushes.update(quiet, quiet_hours=await pushes.quiet_hours_now())
    for receiver in (*[quiet] * (MAX_ACK_PENDING_OUTSIDE + 1), other):
        await platform.publish(event("nudge", now, receiver_id=receiver.member.id).message)
    async with notifier(variables(platform, world, tmp_path)) as process:
        assert process.stdout is not None
        line = await within(process.stdout.readline())
        await platform.until_done()
        process.send_signal(signal.SIGTERM)
        more, _ = await within(process.communicate())
    assert (line.decode(), more) == (f"{other.member.id}  fcm  nudge: {TEXTS['en']['nudge']}\n", b"")


@pytest.mark.parametrize(
    ("left_out", "said"),
    [("UNORA_IDENTITY_ADDRESS", "UNORA_IDENTITY_ADDRESS is not set"), ("UNORA_NATS_URL", "UNORA_NATS_URL is not set")],
)
async def test_a_variable_that_is_missing_is_named(
    platform: Platform, world: World, tmp_path: Path, left_out: str, said: str
) -> None:
    env = variables(platform, world, tmp_path)
    del env[left_out]
    async with notifier(env) as process:
        _, errors = await within(process.communicate())
    assert (process.returncode, said in errors.decode()) == (1, True)
    assert "Traceback" not in errors.decode()
