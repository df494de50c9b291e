"""Statements that hold over all schemas whenever the stack is idle, as queries that return the rows that break them.

No service can run them, since none sees another's schema; the superuser of a local or a test run can. Each names the
rules that it proves. Those that compare two contexts may return rows while events are under way: wait until the stack
is idle before you run them.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from unora_testing.invariants import (
    accounts,
    devices,
    discovery,
    events,
    ledger,
    matching,
    payments,
    personality,
    photos,
    reveals,
    safety,
    standing,
    streaks,
    subscriptions,
    trust,
    wording,
)
from unora_testing.invariants.invariant import Invariant, Row

__all__ = ["INVARIANTS", "Invariant", "broken"]

INVARIANTS: Final = (
    *trust.INVARIANTS,
    *devices.INVARIANTS,
    *photos.INVARIANTS,
    *discovery.INVARIANTS,
    *matching.INVARIANTS,
    *streaks.INVARIANTS,
    *reveals.INVARIANTS,
    *personality.INVARIANTS,
    *payments.INVARIANTS,
    *ledger.INVARIANTS,
    *subscriptions.INVARIANTS,
    *safety.INVARIANTS,
    *standing.INVARIANTS,
    *accounts.INVARIANTS,
    *events.INVARIANTS,
    *wording.INVARIANTS,
)


async def broken(connection: asyncpg.Connection[asyncpg.Record]) -> dict[Invariant, list[Row]]:
    """The invariants that do not hold, each with the rows that break it; all read in one snapshot."""
    found = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for invariant in INVARIANTS:
            rows = [dict(record) for record in await connection.fetch(invariant.sql)]
            if breaking := [row for row in rows if invariant.breaks(row)]:
                found[invariant] = breaking
    return found
