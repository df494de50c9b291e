"""ST-03: the zone of a pair whose members name one zone differently, as identity stores it and the streak uses it."""

from __future__ import annotations

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.identity.v1.profile_service_pb2 import Profile
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.identity.people import ADA, People, Signed
from tests.support import Pair, announce


async def _member_in(people: People, zone: str) -> Signed:
    profile = Profile()
    profile.CopyFrom(ADA)
    profile.time_zone = zone
    signed = await people.sign_in()
    assert (await people.update_profile(signed, profile)).time_zone == zone, "a name stays as the member gave it"
    return signed


@pytest.mark.rule("ST-03")
async def test_a_pair_with_two_names_of_one_zone_plays_in_that_zone(world: World, streaks: StreakServiceStub) -> None:
    people = People(world)
    two = [await _member_in(people, zone) for zone in ("Asia/Calcutta", "Asia/Kolkata")]
    a, b = sorted((signed.member for signed in two), key=lambda member: member.user)
    pair = Pair(str(uuid7()), a, b, SERVER_TYPE_PARTNER)
    await announce(world, pair)
    (streak,) = (await streaks.GetDashboard(GetDashboardRequest(), metadata=a.metadata)).streaks
    stored = await world.superuser_of("streak").fetchval(
        "SELECT zone FROM streak.streaks WHERE id = $1", streak.streak_id
    )
    assert stored == "Asia/Kolkata"
    ends = streak.day_ends_at.ToDatetime()
    assert (ends.hour, ends.minute) == (18, 30), "a day must end at midnight in India, not in UTC"
