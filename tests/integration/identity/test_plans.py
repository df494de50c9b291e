"""What runs by itself again and again finds its rows by an index, however many there are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from unora_identity.store import challenges, photos, sessions
from unora_local.inprocess import World

THEN = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statement", "arguments", "condition"),
    [
        pytest.param(photos.MARK_ORPHANS, (THEN, 20), "Index Cond: (expires_at <", id="orphans"),
        pytest.param(challenges.PURGE, (THEN, 20), "Index Cond: (created_at <", id="challenges"),
        pytest.param(sessions.PURGE, (THEN, 20), "Index Cond: (expires_at <", id="tokens"),
    ],
)
async def test_an_index_serves_the_condition(
    world: World, statement: str, arguments: tuple[object, ...], condition: str
) -> None:
    async with world.superuser.transaction():
        # The tables of a test are so small that reading them whole is always cheaper.
        await world.superuser.execute("SET LOCAL enable_seqscan = off")
        plan = [row[0] for row in await world.superuser.fetch(f"EXPLAIN {statement}", *arguments)]
    assert any(condition in line for line in plan), "\n".join(plan)
