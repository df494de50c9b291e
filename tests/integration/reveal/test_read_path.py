"""The read path "Check Reveal Status" of the requirement is one query, whatever it shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from unora_common.database import Session
from unora_reveal.store import reveals
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import RevealPair, make_reveal_pair
from tests.roles import role_of


@pytest.fixture
async def pair(world: World) -> RevealPair:
    """All kinds of content: a has opened 1, 2 and the glimpse of b, and b has answered questions."""
    made = await make_reveal_pair(world)
    await made.set_tier(made.a, "plus")
    await made.apply(made.day_completed(12))
    await made.submit_answers(made.b, {1: 5, 6: 1})
    for number in (1, 2, 3):
        await made.open(made.a, number)
    return made


@pytest.mark.rule("XX-05", "RE-01")
async def test_a_list_of_reveals_is_one_statement(pair: RevealPair, monkeypatch: pytest.MonkeyPatch) -> None:
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
        listed = await pair.list_reveals(pair.a)
    assert [each.HasField("framed") for each in listed] == [True, True, True, False, False]
    assert ran == [reveals.LIST]


def relations(plan: Any) -> dict[str, str]:
    """Each table of a plan, and the index or the scan that reads it."""
    found = {plan["Relation Name"]: plan.get("Index Name", plan["Node Type"])} if "Relation Name" in plan else {}
    for part in plan.get("Plans", []):
        found |= relations(part)
    return found


@pytest.mark.rule("XX-05", "RE-03")
async def test_the_list_joins_the_milestones_of_the_members_own_tier_and_the_contents_by_index(
    world: World, pair: RevealPair
) -> None:
    async with role_of(world, "reveal") as service, service.transaction():
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):  # the planner would scan so few rows
            await service.execute(f"SET LOCAL enable_{way} = off")
        plan = json.loads(await service.fetchval(f"EXPLAIN (FORMAT JSON) {reveals.LIST}", pair.streak_id, pair.a.user))
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
async def test_the_list_marks_the_reveal_that_can_be_bought(world: World) -> None:
    pair = await make_reveal_pair(world)

    async def for_sale() -> list[int]:
        return [each.reveal_number for each in await pair.list_reveals(pair.a) if each.for_sale]

    assert await for_sale() == [3]
    await pair.apply(pair.payment_succeeded(pair.a, 3))
    assert await for_sale() == [4]
    await pair.set_tier(pair.a, "pro")
    assert await for_sale() == []
    await pair.set_tier(pair.a, "plus")
    assert await for_sale() == [4]
    await pair.apply(pair.connection_ended())
    assert await for_sale() == []
