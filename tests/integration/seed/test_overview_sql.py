"""The SQL of the overview, unchanged: every name in it exists, and its results equal the answers to members.

No service runs it like this, because a context reads only its own tables. Here a superuser runs it over all schemas.
"""

from __future__ import annotations

import re
from typing import Any, Final

import asyncpg
import pytest
from unora.discovery.v1.discovery_service_pb2 import Screen
from unora.reveal.v1.reveal_service_pb2 import RevealStatus
from unora.streak.v1.streak_service_pb2 import StreakState
from unora_streak.domain.state import State
from unora_testing.world import World

from tests.integration.discovery.pool import FRIEND, PARTNER
from tests.integration.protection.scenario import CROWD, Scenario
from tests.unit.docs.repository import DOCS

SCHEMAS: Final = "identity, discovery, matching, streak, reveal"
OVERVIEW: Final = (DOCS / "database_overview.md").read_text()


def statements(heading: str) -> list[str]:
    """The statements of the first block of SQL under a heading, without their comments."""
    (block,) = re.findall(rf"^### {heading}\n+```sql\n(.*?)```", OVERVIEW, re.DOTALL | re.MULTILINE)
    return [sql for each in block.split(";") if (sql := re.sub(r"--.*", "", each).strip())]


class Overview:
    """Runs the SQL of the overview."""

    def __init__(self, sql: asyncpg.Connection[asyncpg.Record]) -> None:
        self.sql = sql

    async def run(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """Runs a statement; `$user_id` in it means the value `user_id`, and so on."""
        names = list(dict.fromkeys(re.findall(r"\$([a-z_]+)", statement)))
        numbered = re.sub(r"\$([a-z_]+)", lambda name: f"${names.index(name[1]) + 1}", statement)
        async with self.sql.transaction(readonly=True):
            await self.sql.execute(f"SET LOCAL search_path TO {SCHEMAS}")
            return [dict(row) for row in await self.sql.fetch(numbered, *(values[name] for name in names))]


@pytest.fixture
async def overview(world: World) -> Overview:
    return Overview(world.superuser)


@pytest.fixture
async def scenario(world: World) -> Scenario:
    scenario = Scenario(world)
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    return scenario


def shown(screen: Screen) -> list[str]:
    return [card.card_id for card in screen.batch.cards]


@pytest.mark.rule("XX-05")
async def test_the_read_paths_of_the_overview_run_unchanged_and_equal_the_answers(
    overview: Overview, scenario: Scenario
) -> None:
    one, other = await scenario.add_pair()
    await scenario.pool.join(one, FRIEND)
    for _ in range(10):
        await scenario.pool.member(servers=(FRIEND,))
    for server in (PARTNER, FRIEND, FRIEND):  # the last one spends the timer of all servers
        await scenario.pool.refresh(one, server)
    await scenario.world.drain()
    screen = await scenario.pool.screen(one)

    capacity, timer, batch, cards = statements("Read Path: Discovery Screen")
    assert await overview.run(capacity, user_id=one.user) == [{"active_connection_count": 0, "tier": "free"}]
    ((available,),) = [row.values() for row in await overview.run(timer, user_id=one.user)]
    assert available.timestamp() == pytest.approx(screen.refresh_available_at.seconds, abs=1)
    (active,) = await overview.run(batch, user_id=one.user, server="partner")
    assert str(active["id"]) == screen.batch.batch_id
    dealt = await overview.run(cards, batch_id=active["id"])
    assert [str(each["id"]) for each in sorted(dealt, key=lambda card: card["position"])] == shown(screen)

    connection = await scenario.connect(one, other)
    assert await overview.run(capacity, user_id=one.user) == [{"active_connection_count": 1, "tier": "free"}]
    streak_id = await scenario.play(connection, one, other, days=5)
    await scenario.next_day(one, connection.connection_id)
    streak = await scenario.streak(one, connection.connection_id)

    (dashboard,) = statements("Read Path: Streaks Dashboard")
    for member, partner in ((one, other), (other, one)):
        (row,) = await overview.run(dashboard, user_id=member.user)
        assert row == {
            "id": row["id"],
            "server_type": "partner",
            "streak_state": "active",
            "current_day": streak.current_day,
            "breaker_user_id": None,
            "partner_id": partner.user,
        }
        assert str(row["id"]) == connection.connection_id

    (status,) = statements("Read Path: Check Reveal Status")
    await scenario.open(one, streak_id, 1)
    statuses = {
        each.reveal_number: RevealStatus.Name(each.status) for each in await scenario.list_reveals(one, streak_id)
    }
    rows = await overview.run(status, streak_id=streak_id, user_id=one.user, user_tier="free")
    assert {row["reveal_number"]: f"REVEAL_STATUS_{row['reveal_status'].upper()}" for row in rows} == statuses
    assert [row["reveal_number"] for row in rows if row["content"] is not None] == [1]

    going, checked_in, _ = statements("Daily Check-In Flow")
    ((found, state, day, its_connection),) = [row.values() for row in await overview.run(going, user_id=one.user)]
    assert (str(found), state, day) == (streak_id, "active", streak.current_day)
    assert str(its_connection) == connection.connection_id
    # CURRENT_DATE is the streak's own date, which depends on its zone (ST-03).
    checked_in = checked_in.replace("CURRENT_DATE", "(SELECT check_in_date FROM streaks WHERE id = $streak_id)")
    assert not await overview.run(checked_in, streak_id=found, user_id=one.user)
    await scenario.check_in(streak_id, one)
    assert await overview.run(checked_in, streak_id=found, user_id=one.user) == [{"?column?": 1}]
    assert not await overview.run(checked_in, streak_id=found, user_id=other.user)


@pytest.mark.rule("XX-05", "ST-04", "ST-14")
async def test_a_check_in_has_the_columns_that_the_overview_writes(overview: Overview) -> None:
    *_, insert = statements("Daily Check-In Flow")
    table, columns = re.fullmatch(r"INSERT INTO (\w+) \((.*?)\)\s+VALUES.*", insert, re.DOTALL).groups()  # type: ignore[union-attr]
    assert await overview.run(f"SELECT {columns} FROM {table} WHERE false") == []


@pytest.mark.rule("XX-05", "ST-02")
def test_the_states_of_a_streak_are_those_of_the_overview() -> None:
    (table,) = re.findall(r"^### Streak States\n+(.*?)\n\n", OVERVIEW, re.DOTALL | re.MULTILINE)
    states = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert states == [state.value for state in State]
    assert [f"STREAK_STATE_{state.upper()}" for state in states] == StreakState.keys()[1:]
