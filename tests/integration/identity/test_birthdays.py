"""DI-08: an age band changes without a call of the member; Discovery learns of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.identity.v1.profile_service_pb2 import Profile
from unora_identity.domain.card import age_band_changed
from unora_identity.domain.onboarding import Member
from unora_identity.jobs.profiles import BirthdayJobs
from unora_identity.use_cases import birthdays
from unora_testing.world import World

from tests.integration.identity.people import People, born

ZONE = ZoneInfo("Pacific/Kiritimati")


async def shortly_before(world: World, years: int) -> tuple[Profile, datetime]:
    """The profile of a member who reaches this age the day after tomorrow, and the midnight at which they do."""
    day = (await world.now()).astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    if (day.month, day.day) == (2, 29):
        day += timedelta(days=1)
    profile = born(day.date().replace(year=day.year - years))
    profile.time_zone = ZONE.key
    return profile, day


async def candidate(world: World, user: object) -> dict[str, Any]:
    """The row of a member in Discovery."""
    return dict(await world.superuser.fetchrow("SELECT * FROM discovery.candidates WHERE user_id = $1", user) or {})


async def move_clock_only(world: World, moment: datetime) -> None:
    """Moves the rule clock, and runs no job yet."""
    ahead = moment - await world.now()
    await world.superuser.execute("UPDATE clock.shift SET ahead = ahead + $1", ahead)


@pytest.mark.rule("DI-08")
async def test_discovery_learns_of_a_birthday_that_begins_another_band(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 25)
    signed = await people.ready(profile)
    await world.move_clock(midnight - timedelta(minutes=10))
    before = await candidate(world, signed.member.user)
    assert before["age_band"] == "18_24"

    await world.move_clock(midnight)
    after = await candidate(world, signed.member.user)
    assert after["age_band"] == "25_29"
    assert after["profile_version"] == before["profile_version"] + 1
    events = await world.events(DiscoveryProfileChanged, signed.member.id)
    assert events[-1].version == after["profile_version"]
    # No more events until the next band, five years later.
    (kept,) = await people.rows("profiles", user_id=signed.member.user)
    assert kept["age_band_changes_at"] == midnight.replace(year=midnight.year + 5)
    await world.move_clock(midnight + timedelta(days=1))
    assert await world.events(DiscoveryProfileChanged, signed.member.id) == events


@pytest.mark.rule("DI-08", "PR-06")
async def test_a_birthday_of_a_member_who_is_not_shown_is_not_published(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 30)
    signed = await people.sign_in()
    await people.update_profile(signed, profile)
    await world.move_clock(midnight)
    assert await world.events(DiscoveryProfileChanged, signed.member.id) == []
    (kept,) = await people.rows("profiles", user_id=signed.member.user)
    assert kept["age_band_changes_at"] == midnight.replace(year=midnight.year + 5)


@pytest.mark.rule("DI-08")
async def test_a_change_just_after_midnight_does_not_hide_the_birthday(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 40)
    signed = await people.ready(profile)
    await world.drain()
    await move_clock_only(world, midnight)
    await people.update_profile(signed, Profile(bio="Forty, and nobody knows."), "bio")
    assert (await candidate(world, signed.member.user))["age_band"] == "35_39"
    await world.drain()
    assert (await candidate(world, signed.member.user))["age_band"] == "40_49"


@pytest.mark.rule("DI-08")
async def test_many_replicas_publish_a_birthday_once(world: World, people: People) -> None:
    profile, midnight = await shortly_before(world, 50)
    signed = await people.ready(profile)
    await world.drain()
    before = len(await world.events(DiscoveryProfileChanged, signed.member.id))
    await move_clock_only(world, midnight)
    jobs = BirthdayJobs(world.apps["identity"].runtime)
    done = await asyncio.gather(*(jobs.tell_age_bands() for _ in range(5)))
    assert sum(done) == 1
    await world.drain()
    assert len(await world.events(DiscoveryProfileChanged, signed.member.id)) == before + 1


@pytest.mark.rule("DI-08")
async def test_a_birthday_that_cannot_be_published_holds_up_no_other(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, midnight = await shortly_before(world, 50)
    bad, *others = [await people.ready(profile) for _ in range(4)]
    await world.drain()
    await move_clock_only(world, midnight)

    def fails_for_one(headers: Any, member: Member, *rest: Any) -> Any:
        if member.profile.bio == "the bad one":
            raise ValueError("this member has no age band")
        return age_band_changed(headers, member, *rest)

    await world.superuser.execute(
        "UPDATE identity.profiles SET bio = 'the bad one' WHERE user_id = $1", bad.member.user
    )
    jobs = BirthdayJobs(world.apps["identity"].runtime)
    with monkeypatch.context() as patch:
        patch.setattr(birthdays, "age_band_changed", fails_for_one)
        assert await jobs.tell_age_bands() == 3
        assert await jobs.tell_age_bands() == 0
    assert await jobs.tell_age_bands() == 1
    await world.drain()
    bands = [(await candidate(world, each.member.user))["age_band"] for each in (bad, *others)]
    assert bands == ["50_59"] * 4


@pytest.mark.rule("DI-08")
async def test_the_next_band_follows_the_profile(world: World, people: People) -> None:
    async def changes_at() -> datetime | None:
        (kept,) = await people.rows("profiles", user_id=signed.member.user)
        at: datetime | None = kept["age_band_changes_at"]
        return at

    profile, midnight = await shortly_before(world, 35)
    signed = await people.sign_in()
    await people.update_profile(signed, profile, "date_of_birth")
    assert await changes_at() is None
    await people.update_profile(signed, profile, "time_zone")
    assert await changes_at() == midnight
    await people.update_profile(signed, Profile(time_zone="UTC"), "time_zone")
    assert await changes_at() == midnight + timedelta(hours=14)
    await people.update_profile(signed, Profile(), "date_of_birth")
    assert await changes_at() is None
