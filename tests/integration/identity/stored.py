"""What the object store has, and the clean-up that removes what no photo shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from unora_common.runtime import Runtime
from unora_identity.config import IdentityConfig
from unora_identity.jobs.clean_up import CleanUpJobs
from unora_identity.providers.machine_clock import machine_now
from unora_identity.providers.photo_store import ObjectMissing
from unora_identity.resources import Resources
from unora_testing.world import World

from tests.integration.identity.people import People


def clean_up(world: World, later: timedelta) -> CleanUpJobs:
    """The clean-up of a machine whose clock is ahead."""
    runtime: Runtime[IdentityConfig, Resources] = world.apps["identity"].runtime
    ahead = replace(runtime.resources, machine_now=lambda: machine_now() + later)
    return CleanUpJobs(replace(runtime, resources=ahead))


async def clean_up_all(world: World) -> None:
    """Removes all that is over a day from now."""
    jobs = clean_up(world, timedelta(hours=25))
    while await jobs.remove_orphans():
        pass


async def stored(people: People, key: str) -> bool:
    """Whether there is an object under this key."""
    try:
        await people.resources.photo_store.get(key, most_bytes=10**8)
    except ObjectMissing:
        return False
    return True
