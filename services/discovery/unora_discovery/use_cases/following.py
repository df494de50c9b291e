"""DI-17: the planes follow what is committed. A call takes over the few changes since the last one, a job the rest."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
from unora_common.database import Database, Session

from unora_discovery.domain.planes import Planes
from unora_discovery.resources import Pool
from unora_discovery.store import planes
from unora_discovery.store.planes import START, Changes

AT_ONCE: Final = 500
"""The most changed members that a call takes over by itself: some milliseconds. More are the job's."""
CHUNK: Final = 20_000
"""Members whose facts are read by one statement."""


async def follow(database: Database, pool: Pool) -> int:
    """Brings the planes up to date, whatever changed; at first that is everything. Returns the number of members.

    Many changes are made in a thread, so that calls go on meanwhile: those know that the planes are behind.
    """
    while pool.behind and pool.cursor == START and await _stamp_anew(database):
        pass
    async with database.session() as session:
        return await follow_in(session, pool)


async def load_once(database: Database, pool: Pool) -> None:
    """Fills planes that are still empty: for a process that serves calls without being told to follow."""
    if pool.cursor == START:
        await follow(database, pool)


async def follow_in(session: Session, pool: Pool) -> int:
    """The same, in a session that has changed no member of the pool."""
    async with pool.following:
        cursor = pool.cursor
        changes = await planes.list_changed(session, cursor, None)
        if planes.is_older(changes.snapshot, cursor):
            pool.planes = Planes()
            changes = await planes.list_changed(session, START, None)
        pool.behind = pool.behind or len(changes.slots) > AT_ONCE
        # The list is of one moment, and the facts are read later: what changes between is listed again next time.
        slots = np.sort(changes.slots)
        for first in range(0, len(slots), CHUNK):
            facts = await planes.get_facts(session, slots[first : first + CHUNK])
            if pool.behind:
                await asyncio.to_thread(pool.planes.apply, facts)
            else:  # a search meanwhile would miss members whose old facts are gone and whose new ones are not there yet
                pool.planes.apply(facts)
        pool.cursor, pool.behind = changes.snapshot, False
        return len(slots)


async def take_over(session: Session, pool: Pool, cursor: str, changes: Changes) -> None:
    """Takes over what a statement of a call has found to have changed since `cursor`, in a session that has changed no
    member of the pool. If it is much, or if the job is at it, the planes stay late for this call.
    """
    if planes.is_older(changes.snapshot, cursor):
        pool.behind, pool.cursor, pool.planes = True, START, Planes()
    if _is_behind(pool):
        return
    if not len(changes.slots):
        if pool.cursor == cursor:
            pool.cursor = changes.snapshot
        return
    async with pool.following:
        if _is_behind(pool):
            return
        if pool.cursor != cursor:  # another call was faster
            changes = await planes.list_changed(session, pool.cursor, AT_ONCE + 1)
        if len(changes.slots) > AT_ONCE:
            pool.behind = True
            return
        if len(changes.slots):
            pool.planes.apply(await planes.get_facts(session, changes.slots))
        pool.cursor = changes.snapshot


def _is_behind(pool: Pool) -> bool:
    """Asked again after each wait: others change it."""
    return pool.behind


async def _stamp_anew(database: Database) -> int:
    async with database.transaction() as tx:
        return await planes.stamp_anew(tx, CHUNK)
