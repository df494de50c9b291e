"""A wrong row that an event changes after its owner was asked is left to the event (XX-08)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.events_pb2 import TierChanged
from unora.common.v1.types_pb2 import TIER_PLUS, TIER_PRO
from unora_common.ids import uuid7
from unora_common.rebuilding import Rebuild
from unora_streak.use_cases.rebuild import parts
from unora_testing.world import World

pytestmark = pytest.mark.rule("XX-08")

OWNED = """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    VALUES ($1, $2, 0, false, 0, $3) ON CONFLICT (user_id) DO UPDATE SET tier = $2, version = $3"""
WRONG = "INSERT INTO streak.tiers (user_id, tier, version) VALUES ($1, 'free', 3)"


@pytest.mark.parametrize("known_before", [True, False], ids=["it was wrong", "it was unknown"])
async def test_what_an_event_says_meanwhile_is_not_taken_back(world: World, known_before: bool) -> None:
    member, asked = uuid7(), 0
    if known_before:
        await world.superuser.execute(OWNED, member, "plus", 3)
    await world.superuser_of("streak").execute(WRONG, member)
    tiers = parts(world.apps["streak"].runtime)[0]

    async def ask(token: str, size: int) -> tuple[list[Any], str]:
        nonlocal asked
        answer = await tiers.ask(token, size)
        asked += 1
        if asked == 1:
            await world.superuser.execute(OWNED, member, "pro", 4)
            now = Timestamp()
            now.FromDatetime(await world.now())
            await world.publish(
                TierChanged(user_id=str(member), version=4, tier=TIER_PRO, previous_tier=TIER_PLUS, occurred_at=now)
            )
        return answer

    work = Rebuild(world.apps["streak"].runtime.database, [replace(tiers, ask=ask)])
    (progress,) = await work.begin(restart=True)
    async for _ in work.run(progress):
        pass
    assert asked == 2, "the page is read again"
    row = await world.superuser_of("streak").fetchrow("SELECT * FROM streak.tiers WHERE user_id = $1", member)
    assert tuple(row or ()) == (member, "pro", 4)
