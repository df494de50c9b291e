"""The requirement's read path "Check Reveal Status" is one query, whatever it shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from unora_common.database import Session
from unora_reveal.store import reveals as store
from unora_testing.world import World

from tests.integration.reveal.couple import Couple, couple
from tests.roles import role_of


@pytest.fixture
async def two(world: World) -> Couple:
    """Everything there is to show: a has opened 1, 2 and the glimpse of b, who has answered."""
    made = await couple(world)
    await made.set_tier(made.a, "plus")
    await made.hear(made.day(12))
    await made.answer(made.b, {1: 5, 6: 1})
    for number in (1, 2, 3):
        await made.open(made.a, number)
    return made


@pytest.mark.rule("XX-05", "RE-01")
async def test_a_list_of_reveals_is_one_statement(two: Couple, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def counted(name: str) -> Any:
        run = getattr(Session, name)

        async def statement(self: Session, sql: str, *arguments: object) -> Any:
            if "reveal." in sql:
                ran.append(sql)
            return await run(self, sql, *arguments)

        return statement

    with monkeypatch.context() as patch:
        for name in ("rows", "row", "value"):
            patch.setattr(Session, name, counted(name))
        listed = await two.seen_by(two.a)
    assert [each.HasField("framed") for each in listed] == [True, True, True, False, False]
    assert ran == [store.LIST]


def relations(plan: Any) -> dict[str, str]:
    """Each table of a plan, and how it is reached."""
    found = {plan["Relation Name"]: plan.get("Index Name", plan["Node Type"])} if "Relation Name" in plan else {}
    for part in plan.get("Plans", []):
        found |= relations(part)
    return found


@pytest.mark.rule("XX-05", "RE-03")
async def test_it_joins_the_milestones_of_the_members_own_tier_and_the_contents_by_index(
    world: World, two: Couple
) -> None:
    async with role_of(world, "reveal") as service, service.transaction():
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):  # how few rows are read, whatever they are
            await service.execute(f"SET LOCAL enable_{way} = off")
        plan = json.loads(await service.fetchval(f"EXPLAIN (FORMAT JSON) {store.LIST}", two.streak_id, two.a.user))
    found = relations(plan[0]["Plan"])
    assert found.pop("progressions") in ("pk_progressions", "ix_progressions_user_id")
    assert found == {
        "reveals": "uq_reveals_streak_id_user_id_reveal_number",
        "pairs": "pk_pairs",
        "reveal_milestones": "pk_reveal_milestones",
        "reveal_contents": "pk_reveal_contents",
        "personality_scores": "pk_personality_scores",
    }


@pytest.mark.rule("RE-05")
async def test_it_says_which_one_can_be_bought(world: World) -> None:
    two = await couple(world)

    async def for_sale() -> list[int]:
        return [each.reveal_number for each in await two.seen_by(two.a) if each.for_sale]

    assert await for_sale() == [3]
    await two.hear(two.paid(two.a, 3))
    assert await for_sale() == [4]
    await two.set_tier(two.a, "pro")
    assert await for_sale() == []
    await two.set_tier(two.a, "plus")
    assert await for_sale() == [4]
    await two.hear(two.ended())
    assert await for_sale() == []
