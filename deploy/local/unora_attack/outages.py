"""What happens to a stack without an attacker: Postgres loses its connections, and replicas are restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncpg

from unora_attack.figures import OK
from unora_attack.row import Attack, Played
from unora_attack.scene import Scene

TIMES: Final = 10
INTERVAL: Final = 0.7
"""Seconds between two outages: services are connected again by then, so that each finds connections to end."""
TERMINATE: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""


async def lost_connections(scene: Scene) -> Played:
    """Terminates all backends of Postgres ten times, while members call."""
    connection = await asyncpg.connect(scene.env.postgres)
    ended = 0
    for _ in range(TIMES):
        ended += await connection.fetchval(TERMINATE)
        await asyncio.sleep(INTERVAL)
    await connection.close()
    return Played(note=f"{ended} connections ended")


def only_unavailable(outcomes: Mapping[str, int]) -> tuple[str, ...]:
    """What honest members got besides an answer, or UNAVAILABLE: none of it may be."""
    return tuple(
        f"{number} {outcome}" for outcome, number in outcomes.items() if not outcome.startswith((OK, "UNAVAILABLE"))
    )


LOST_CONNECTIONS: Final = Attack(
    name="postgres",
    title=f"all connections of Postgres ended, {TIMES} times",
    process="identity",
    play=lost_connections,
    all_answered=frozenset(),
    judge=only_unavailable,
)
