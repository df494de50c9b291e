"""ID-01: a process with another phone.key than the database is not ready, and sends no code."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from unora_common.ids import random_id
from unora_common.runtime import Runtime
from unora_identity.config import IdentityConfig
from unora_identity.jobs.phone_key import PhoneKeyWatch
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.keyed_hasher import KeyedHasher
from unora_identity.providers.phone_key import PhoneKey, PhoneKeyDiffers
from unora_identity.resources import Resources
from unora_identity.use_cases.phone_verification import start_phone_verification
from unora_testing.world import World

from tests.integration.identity.people import People


def with_key(world: World, fingerprint: bytes) -> Runtime[IdentityConfig, Resources]:
    runtime: Runtime[IdentityConfig, Resources] = world.apps["identity"].runtime
    return replace(runtime, resources=replace(runtime.resources, phone_key=PhoneKey(fingerprint)))


@pytest.mark.rule("ID-01")
async def test_the_key_of_the_first_process_goes_on_and_another_one_is_refused(world: World, people: People) -> None:
    known = people.resources.phone_key.fingerprint
    assert await PhoneKeyWatch(with_key(world, known)).check_phone_key() == 0
    other = with_key(world, KeyedHasher(secrets.token_bytes(32)).derive("fingerprint"))
    with pytest.raises(PhoneKeyDiffers):
        await PhoneKeyWatch(other).check_phone_key()
    with pytest.raises(PhoneKeyDiffers):
        await start_phone_verification(other, CodeAlarm(other.log, other.metrics), "+12025550123", random_id())
    assert await PhoneKeyWatch(with_key(world, known)).check_phone_key() == 0


async def test_a_process_that_differs_is_not_ready(world: World, people: People) -> None:
    (follower,) = world.apps["identity"].followers
    assert follower.name == "check_phone_key"
    await follower.step()
    assert not people.resources.phone_key.differs
