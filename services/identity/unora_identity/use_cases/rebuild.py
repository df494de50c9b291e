"""XX-08: identity's projections, made anew from billing, matching, discovery, safety and streak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from unora_common.copies import ANYTHING
from unora_common.database import Tx
from unora_common.rebuilding import Part, Row
from unora_common.runtime import Runtime

from unora_identity.clients import Owners
from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import KnownPair
from unora_identity.resources import Resources
from unora_identity.store import accounts, disclosures, members
from unora_identity.use_cases.completed_streaks import record_completed_streak
from unora_identity.use_cases.suspensions import apply_restriction

PARTS: Final = ("standings", "disclosures", "completions", "tiers", "inventories", "refreshes")


def parts(runtime: Runtime[IdentityConfig, Resources]) -> list[Part[Any]]:
    """In the order in which they are made anew: first what keeps members apart."""
    owners, resources = Owners(runtime.clients), runtime.resources
    return [
        _standings(owners, resources),
        _disclosures(owners),
        _completions(owners, resources),
        Part(
            name="tiers",
            copy=accounts.TIERS,
            ask=owners.list_tiers,
            rows=lambda told: [Row((told[0],), told[2:], told[1])],
            apply=accounts.project_tiers,
            untold=("free",),
        ),
        Part(
            name="inventories",
            copy=accounts.INVENTORIES,
            ask=owners.list_inventories,
            rows=lambda told: [Row((told[0],), told[2:], told[1])],
            apply=accounts.project_inventories,
            untold=(0, None),
        ),
        Part(
            name="refreshes",
            copy=accounts.REFRESHES,
            ask=owners.list_refreshes,
            rows=lambda told: [Row((told[0],), told[2:], told[1])],
            apply=accounts.project_refreshes,
            untold=(None, None),
        ),
    ]


def _standings(owners: Owners, resources: Resources) -> Part[tuple[UUID, int, bool]]:
    """SA-06: a member who should have been suspended loses all sessions now."""

    async def apply(tx: Tx, told: Sequence[tuple[UUID, int, bool]]) -> None:
        for user_id, version, suspended in told:
            await apply_restriction(tx, resources, user_id, version, suspended)

    return Part(
        name="standings",
        copy=accounts.STANDINGS,
        ask=owners.list_standings,
        rows=lambda told: [Row((told[0],), (told[2],), told[1])],
        apply=apply,
        untold=(False,),
        at_once=1,
    )


def _completions(owners: Owners, resources: Resources) -> Part[UUID]:
    """ID-04: who has completed a streak is trusted more."""

    async def apply(tx: Tx, told: Sequence[UUID]) -> None:
        await tx.read_clock()
        await record_completed_streak(tx, told, resources.policy)

    return Part(
        name="completions",
        copy=members.COMPLETIONS,
        ask=owners.list_completions,
        rows=lambda told: [Row((told,))],
        apply=apply,
        at_once=1,
    )


def _disclosures(owners: Owners) -> Part[KnownPair]:
    """RE-04, RE-10. No event tells of it: a record that is made anew is no news. A pair that nobody knows has ended."""

    def rows(told: KnownPair) -> list[Row]:
        if told.streak_id is None and told.ended_at is None:
            return []
        streak_id = told.streak_id if told.ended_at is None else None
        facts = (told.user_a_id, told.user_b_id, streak_id, told.ended_at is not None)
        return [Row((told.connection_id,), facts)]

    return Part(
        name="disclosures",
        copy=disclosures.COPY,
        ask=owners.list_pairs,
        rows=rows,
        apply=disclosures.restore,
        untold=(ANYTHING, ANYTHING, None, True),
    )
