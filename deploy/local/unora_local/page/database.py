"""What the bridge asks the database as its superuser: there is one on this machine only."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import asyncpg

from unora_local.env import Env
from unora_local.page.hearers import Known

MEMBERS: Final[dict[Known, str]] = {
    "pair of connection": "SELECT unnest(ARRAY[user_a_id, user_b_id]) FROM matching.connections WHERE id = $1",
    "payer of payment": "SELECT payer_id FROM billing.payments WHERE id = $1",
}
LIVES: Final = "SELECT id FROM identity.sessions WHERE id = $1 AND revoked_at IS NULL"


async def members(env: Env, asked: Known, identifier: str) -> frozenset[str]:
    """The ids of the members whom an id concerns; none if it is unknown."""
    return frozenset(map(str, await _first_column(env, MEMBERS[asked], UUID(identifier))))


async def session_lives(env: Env, session: UUID) -> bool:
    """Whether a session has not been revoked (SA-06)."""
    return bool(await _first_column(env, LIVES, session))


async def _first_column(env: Env, sql: str, *values: object) -> list[Any]:
    superuser = await asyncpg.connect(env.postgres)
    try:
        return [row[0] for row in await superuser.fetch(sql, *values)]
    finally:
        await superuser.close()
