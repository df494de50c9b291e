"""XX-08: reveal's projections, made anew from billing, streak and matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from unora_common.database import Tx
from unora_common.rebuilding import Part, Row
from unora_common.runtime import Runtime

from unora_reveal.clients import Owners
from unora_reveal.config import RevealConfig
from unora_reveal.domain.streaks import KnownPair
from unora_reveal.resources import Resources
from unora_reveal.store import pairs, tiers
from unora_reveal.use_cases.earning import change_tier, record_days

PARTS: Final = ("tiers", "pairs")
FREE: Final = "free"


def parts(runtime: Runtime[RevealConfig, Resources]) -> list[Part[Any]]:
    """In the order in which they are made anew: a pair earns by the tiers that are known by then."""
    owners = Owners(runtime.clients)
    return [_tiers(owners), _pairs(owners)]


def _tiers(owners: Owners) -> Part[tuple[UUID, str, int]]:
    async def apply(tx: Tx, told: Sequence[tuple[UUID, str, int]]) -> None:
        for each in told:
            await change_tier(tx, *each)

    return Part(
        name="tiers",
        copy=tiers.COPY,
        ask=owners.list_tiers,
        rows=lambda told: [Row((told[0],), (told[1], True), told[2])],
        apply=apply,
        untold=(FREE, True),
        unknown=lambda key: (key[0], FREE, 0),
        at_once=1,
    )


def _pairs(owners: Owners) -> Part[KnownPair]:
    """RE-08, RE-10: the days that were reached are earned, unless the connection has ended."""

    def rows(told: KnownPair) -> list[Row]:
        if told.streak_id is None and told.ended_at is None:
            return []  # nobody has told of it
        days = told.completed_days if told.ended_at is None else None
        return [Row((told.connection_id,), (told.streak_id, days, told.ended_at is not None))]

    async def apply(tx: Tx, told: Sequence[KnownPair]) -> None:
        for each in told:
            if each.streak:
                await record_days(tx, each.streak, each.completed_days)
            if each.ended_at:
                await pairs.end(tx, [(each.connection_id, each.user_a_id, each.user_b_id, each.ended_at)])

    return Part(name="pairs", copy=pairs.COPY, ask=owners.list_pairs, rows=rows, apply=apply, at_once=1)
