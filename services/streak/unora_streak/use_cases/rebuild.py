"""XX-08: streak's projections, made anew from billing, matching and reveal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from unora_common.database import Tx
from unora_common.rebuilding import Part, Row
from unora_common.runtime import Runtime

from unora_streak.clients import Directory, KnownConnection, Owners
from unora_streak.config import StreakConfig
from unora_streak.domain.state import Policy
from unora_streak.store import reveals, streaks, tiers
from unora_streak.store.reveals import WaitingReveal
from unora_streak.use_cases.lifecycle import end_streak, start_streak

PARTS: Final = ("tiers", "connections", "reveals")


def parts(runtime: Runtime[StreakConfig, None]) -> list[Part[Any]]:
    """In the order in which they are made anew."""
    owners = Owners(runtime.clients)
    return [_tiers(owners), _connections(owners, Directory(runtime.clients), runtime.config.policy), _reveals(owners)]


def _tiers(owners: Owners) -> Part[tuple[UUID, str, int]]:
    return Part(
        name="tiers",
        copy=tiers.COPY,
        ask=owners.list_tiers,
        rows=lambda told: [Row((told[0],), (told[1],), told[2])],
        apply=tiers.save,
    )


def _connections(owners: Owners, directory: Directory, policy: Policy) -> Part[KnownConnection]:
    """ST-01, ST-12: a streak that never began, or never ended, does so now, as by a late event."""

    async def with_zones(told: Sequence[KnownConnection]) -> list[KnownConnection]:
        return [each._replace(zone=await directory.get_pair_zone(*each.connection.pair)) for each in told]

    async def apply(tx: Tx, told: Sequence[KnownConnection]) -> None:
        for each in told:
            await start_streak(tx, each.connection, each.zone, each.formed_at, policy)
            if each.ended_at:
                await end_streak(tx, each.connection, each.ended_at, policy)

    return Part(
        name="connections",
        copy=streaks.CONNECTIONS,
        ask=owners.list_connections,
        rows=lambda told: [Row((told.connection.id,), (told.ended_at,))],
        prepare=with_zones,
        apply=apply,
        at_once=1,
    )


def _reveals(owners: Owners) -> Part[WaitingReveal]:
    """RE-11. A reveal that is unknown to reveal does not wait."""
    return Part(
        name="reveals",
        copy=reveals.COPY,
        ask=owners.list_reveals,
        rows=lambda told: [Row((told.streak_id, told.user_id, told.reveal_number), (told.waiting,), told.version)],
        apply=reveals.save,
        untold=(False,),
    )
