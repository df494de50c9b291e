"""DI-17: the planes follow what is committed. A call takes over the few changes since the last one, a job the rest."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
from unora_common.database import Database, Session

from unora_discovery.domain.planes import Facts, Planes
from unora_discovery.resources import Pool
from unora_discovery.store import planes
from unora_discovery.store.planes import START, Changes

AT_ONCE: Final = 500
"""The most changed members that a call takes over by itself: some milliseconds. More are the job's."""
CHUNK: Final = 20_000
"""Members whose facts are read by one statement."""


async def follow(database: Database, pool: Pool) -> int:
    """Brings the planes up to date, whatever changed; at first, and in another database, that is everything. Returns
    the number of members.

    Many changes are made in a thread, so that calls go on meanwhile: those know that the planes are behind.
    """
    async with database.session() as session:
        history = await planes.get_history(session)
    while history != pool.history and await _stamp_anew(database):
        pass
    async with database.session() as session:
        return await _follow(session, pool, history)


async def load_once(database: Database, pool: Pool) -> None:
    """Fills planes that are still empty: for a process that serves calls without being told to follow."""
    if not pool.history:
        await follow(database, pool)


async def follow_in(session: Session, pool: Pool) -> int:
    """Brings the planes up to date in a session that has changed no member of the pool."""
    return await _follow(session, pool, pool.history)


async def _follow(session: Session, pool: Pool, history: str) -> int:
    async with pool.following:
        if history != pool.history:
            pool.start_anew()
        cursor = pool.cursor
        changes = await planes.list_changed(session, cursor, None)
        if planes.is_older(changes.snapshot, cursor):
            pool.start_anew()
            cursor = START
            changes = await planes.list_changed(session, cursor, None)
        kept = Planes() if cursor == START else pool.planes
        pool.behind = pool.behind or len(changes.slots) > AT_ONCE
        # The list is of one moment, and the facts are read later: what changes between is listed again next time.
        slots = np.sort(changes.slots)
        for first in range(0, len(slots), CHUNK):
            facts = await planes.get_facts(session, slots[first : first + CHUNK])
            if pool.behind:
                await _apply_in_thread(kept, facts)
            else:  # a search meanwhile would miss members whose old facts are gone and whose new ones are not there yet
                kept.apply(facts)
        pool.planes, pool.cursor, pool.history, pool.behind = kept, changes.snapshot, history, False
        return len(slots)


async def take_over(session: Session, pool: Pool, cursor: str, changes: Changes) -> None:
    """Takes over what a statement of a call has found to have changed since `cursor`, in a session that has changed no
    member of the pool. If it is much, or if the job is at it, the planes stay late for this call.
    """
    if pool.cursor == cursor and planes.is_older(changes.snapshot, cursor):
        pool.start_anew()
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


async def _apply_in_thread(kept: Planes, facts: Facts) -> None:
    """Returns once the thread is done, also if it is cancelled: who is next must not apply newer facts before these."""
    thread = asyncio.ensure_future(asyncio.to_thread(kept.apply, facts))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        raise


async def _stamp_anew(database: Database) -> int:
    async with database.transaction() as tx:
        return await planes.restamp(tx, CHUNK)
