"""ID-08, SA-04: a date of birth that is refused as under age is not kept, only the fact that one was refused."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from unora.identity.v1.events_pb2 import UnderAgeDateReplaced
from unora.identity.v1.profile_service_pb2 import GetProfileRequest, Profile
from unora.safety.v1.events_pb2 import DECISION_DISMISS, FLAG_PATTERN_UNDER_AGE_DATE
from unora_testing.world import World

from tests.integration.identity.people import ADA, People, Signed, born
from tests.integration.safety.moderators import Moderators
from tests.support import Refusal, refusal

pytestmark = pytest.mark.rule("ID-08")

LATEST_ZONE = "Pacific/Pago_Pago"
"""Where each day begins last: a day or more after UTC+14."""


async def eighteen_in_utc_14_only(world: World) -> Profile:
    """Someone whose 18th birthday is today in UTC+14, and not yet in LATEST_ZONE."""
    today = (await world.now() + timedelta(hours=14)).date()
    if (today.month, today.day) == (2, 29):
        await world.move_clock(timedelta(days=1))
        return await eighteen_in_utc_14_only(world)
    return in_zone(born(today.replace(year=today.year - 18)), LATEST_ZONE)


def in_zone(profile: Profile, zone: str) -> Profile:
    profile.time_zone = zone
    return profile


async def stored(people: People, signed: Signed) -> dict[str, Any]:
    (row,) = await people.rows("profiles", user_id=signed.member.user)
    return row


async def profile_of(people: People, signed: Signed) -> Profile:
    return (await people.profiles.GetProfile(GetProfileRequest(), metadata=signed.metadata)).profile


def is_of_the_birth_date(refused: Refusal) -> bool:
    return (refused.code, refused.reason, list(refused.violations)) == (
        *("FAILED_PRECONDITION", "UNDER_AGE"),
        ["profile.date_of_birth"],
    )


async def test_without_a_zone_who_is_under_age_everywhere_is_refused_at_once_and_the_date_is_not_kept(
    world: World, people: People
) -> None:
    signed, now = await people.sign_in(), await world.now()
    tomorrow = eighteen = (now + timedelta(hours=14)).date() + timedelta(days=1)
    child = born(tomorrow.replace(year=eighteen.year - 17))
    assert is_of_the_birth_date(await refusal(people.update_profile(signed, child, "date_of_birth", "bio", "name")))
    assert await profile_of(people, signed) == Profile()
    row = await stored(people, signed)
    assert (row["date_of_birth"], row["birth_date_refused_at"] >= now) == (None, True)


async def test_when_the_zone_comes_the_date_is_named_and_removed_and_nothing_of_the_call_is_stored(
    world: World, people: People
) -> None:
    signed, child = await people.sign_in(), await eighteen_in_utc_14_only(world)
    await people.update_profile(signed, child, "date_of_birth", "name")
    refused = await refusal(people.update_profile(signed, child, "time_zone", "place_id", "bio"))
    assert is_of_the_birth_date(refused)
    assert await profile_of(people, signed) == Profile(name=ADA.name)
    assert (await stored(people, signed))["birth_date_refused_at"] is not None
    # The zone alone is no problem.
    assert (await people.update_profile(signed, child, "time_zone")).time_zone == LATEST_ZONE


async def test_the_zone_and_the_date_at_the_same_moment_make_no_profile_of_a_child(
    world: World, people: People
) -> None:
    child = await eighteen_in_utc_14_only(world)
    for _ in range(8):
        signed = await people.sign_in()
        await people.update_profile(signed, child, "name", "place_id", "gender")
        calls = [people.update_profile(signed, child, field) for field in ("date_of_birth", "time_zone")]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(each, Profile) for each in done) == 1, "exactly one of the two is refused"
        row = await stored(people, signed)
        assert row["date_of_birth"] is None
        assert row["birth_date_refused_at"] is not None


@pytest.mark.rule("SA-04")
async def test_who_gives_an_older_date_afterwards_is_let_through_and_flagged(world: World, people: People) -> None:
    signed, honest, moderators = await people.sign_in(), await people.sign_in(), Moderators(world)
    child = born((await world.now()).date() - timedelta(days=15 * 365))
    await refusal(people.update_profile(signed, child))
    await world.drain()
    assert await moderators.flags_of(signed.member) == []
    await people.update_profile(signed)
    await people.update_profile(honest)
    await world.drain()
    (flag,) = await moderators.flags_of(signed.member)
    assert flag.pattern == FLAG_PATTERN_UNDER_AGE_DATE
    assert await moderators.flags_of(honest.member) == []
    # Nothing more without another date; the same again after a decision.
    await people.update_profile(signed, Profile(bio="Older now."), "bio")
    await people.update_profile(signed, ADA, "date_of_birth")
    assert len(await world.events(UnderAgeDateReplaced, signed.member.id)) == 1
    await moderators.decide_newest_case(signed.member, DECISION_DISMISS)
    await world.move_clock(timedelta(minutes=1))
    await people.update_profile(signed, born(date(1980, 1, 1)), "date_of_birth")
    await world.drain()
    assert len(await moderators.flags_of(signed.member)) == 1


@pytest.mark.rule("SA-04")
async def test_who_has_an_older_date_when_one_is_refused_is_flagged_too(world: World, people: People) -> None:
    signed = await people.ready()
    child = born((await world.now()).date() - timedelta(days=15 * 365))
    assert is_of_the_birth_date(await refusal(people.update_profile(signed, child, "date_of_birth")))
    assert (await profile_of(people, signed)).date_of_birth == ADA.date_of_birth
    await world.drain()
    (flag,) = await Moderators(world).flags_of(signed.member)
    assert flag.pattern == FLAG_PATTERN_UNDER_AGE_DATE


async def test_another_zone_in_which_an_adult_is_not_18_yet_is_refused_and_costs_nothing(
    world: World, people: People
) -> None:
    signed, adult = await people.sign_in(), await eighteen_in_utc_14_only(world)
    await people.update_profile(signed, in_zone(adult, "Pacific/Kiritimati"))
    assert is_of_the_birth_date(
        await refusal(people.update_profile(signed, Profile(time_zone=LATEST_ZONE), "time_zone"))
    )
    row = await stored(people, signed)
    assert (row["time_zone"], row["birth_date_refused_at"]) == ("Pacific/Kiritimati", None)
    assert row["date_of_birth"] is not None
