"""DI-08: an age band grows old with nobody doing anything; Discovery is told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.identity.v1.profile_service_pb2 import Profile
from unora_identity.jobs import BirthdayJobs
from unora_testing.world import World

from tests.integration.identity.people import People, born

ZONE = ZoneInfo("Pacific/Kiritimati")


async def shortly_before(world: World, years: int) -> tuple[Profile, datetime]:
    """Someone who turns so old the day after tomorrow, and the midnight with which they do."""
    day = (await world.now()).astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    if (day.month, day.day) == (2, 29):
        day += timedelta(days=1)
    profile = born(day.date().replace(year=day.year - years))
    profile.time_zone = ZONE.key
    return profile, day


async def candidate(world: World, user: object) -> dict[str, Any]:
    """What Discovery keeps of a member."""
    return dict(await world.superuser.fetchrow("SELECT * FROM discovery.candidates WHERE user_id = $1", user) or {})


async def pass_to(world: World, moment: datetime) -> None:
    """Moves the rule clock, and lets nothing happen yet."""
    ahead = moment - await world.now()
    await world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", ahead)


@pytest.mark.rule("DI-08")
async def test_discovery_follows_a_birthday_that_begins_another_band(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 25)
    who = await people.ready(profile)
    await world.move_clock(midnight - timedelta(seconds=30))
    before = await candidate(world, who.member.user)
    assert before["age_band"] == "18_24"

    await world.move_clock(midnight)
    after = await candidate(world, who.member.user)
    assert after["age_band"] == "25_29"
    assert after["profile_version"] == before["profile_version"] + 1
    events = await world.events(DiscoveryProfileChanged, who.member.id)
    assert events[-1].version == after["profile_version"]
    # Nothing more until the next band, five years on.
    (kept,) = await people.rows("profiles", user_id=who.member.user)
    assert kept["age_band_changes_at"] == midnight.replace(year=midnight.year + 5)
    await world.move_clock(midnight + timedelta(days=1))
    assert await world.events(DiscoveryProfileChanged, who.member.id) == events


@pytest.mark.rule("DI-08", "PR-06")
async def test_of_who_is_not_shown_a_birthday_is_not_told(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 30)
    who = await people.sign_in()
    await people.tell(who, profile)
    await world.move_clock(midnight)
    assert await world.events(DiscoveryProfileChanged, who.member.id) == []
    (kept,) = await people.rows("profiles", user_id=who.member.user)
    assert kept["age_band_changes_at"] == midnight.replace(year=midnight.year + 5)


@pytest.mark.rule("DI-08")
async def test_a_change_just_after_midnight_does_not_swallow_the_birthday(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 40)
    who = await people.ready(profile)
    await world.drain()
    await pass_to(world, midnight)
    await people.tell(who, Profile(bio="Forty, and nobody knows."), "bio")
    assert (await candidate(world, who.member.user))["age_band"] == "35_39"
    await world.drain()
    assert (await candidate(world, who.member.user))["age_band"] == "40_49"


@pytest.mark.rule("DI-08")
async def test_many_replicas_tell_a_birthday_once(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 50)
    who = await people.ready(profile)
    await world.drain()
    before = len(await world.events(DiscoveryProfileChanged, who.member.id))
    await pass_to(world, midnight)
    jobs = BirthdayJobs(world.apps["identity"].runtime)
    done = await asyncio.gather(*(jobs.tell_age_bands() for _ in range(5)))
    assert sum(done) == 1
    await world.drain()
    assert len(await world.events(DiscoveryProfileChanged, who.member.id)) == before + 1


@pytest.mark.rule("DI-08")
async def test_the_next_band_follows_what_the_member_tells(world: World, people: People) -> None:
    async def changes_at() -> datetime | None:
        (kept,) = await people.rows("profiles", user_id=who.member.user)
        at: datetime | None = kept["age_band_changes_at"]
        return at

    profile, midnight = await shortly_before(world, 35)
    who = await people.sign_in()
    await people.tell(who, profile, "date_of_birth")
    assert await changes_at() is None
    await people.tell(who, profile, "time_zone")
    assert await changes_at() == midnight
    await people.tell(who, Profile(time_zone="UTC"), "time_zone")
    assert await changes_at() == midnight + timedelta(hours=14)
    await people.tell(who, Profile(), "date_of_birth")
    assert await changes_at() is None
