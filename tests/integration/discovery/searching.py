"""Searches of the service without a refresh, and the exact search of the whole pool that they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.resources import Pool
from unora_discovery.store.seekers import get_seeker
from unora_discovery.use_cases.candidates import find_candidates
from unora_discovery.use_cases.following import follow
from unora_testing.world import World


async def search(world: World, viewer: UUID, server: ServerType, criteria: SearchCriteria) -> SearchResult:
    """What a refresh of the viewer finds now."""
    app = world.apps["discovery"]
    pool: Pool = app.runtime.resources.pool
    await follow(app.database, pool)
    async with app.database.session() as session:
        _, seeker, _ = await get_seeker(session, viewer, server, pool.cursor, 1)
        return await find_candidates(session, pool.planes, viewer, seeker, server, criteria)


def ids(found: Sequence[object]) -> set[UUID]:
    """The ids of candidates."""
    return {each.user_id for each in found}  # type: ignore[attr-defined]
