"""XX-08: matching's projections, made anew from billing, identity, safety and streak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from unora_common.copies import ANYTHING
from unora_common.database import Tx
from unora_common.rebuilding import Part, Row
from unora_common.runtime import Runtime

from unora_matching.clients import Owners
from unora_matching.config import MatchingConfig
from unora_matching.domain.notices import AccountNotice, BlockNotice, Restriction
from unora_matching.domain.policy import Policy, Slots, Tier
from unora_matching.store import blocks, connections, inventories
from unora_matching.use_cases.accounts import change_account
from unora_matching.use_cases.blocks import block_pair, unblock_pair
from unora_matching.use_cases.chat import unlock_connection_chat
from unora_matching.use_cases.restrictions import change_restriction
from unora_matching.use_cases.tiers import change_tier

PARTS: Final = ("standings", "blocks", "away", "tiers", "chats")


def parts(runtime: Runtime[MatchingConfig, None]) -> list[Part[Any]]:
    """In the order in which they are made anew: first what keeps members apart."""
    owners, policy = Owners(runtime.clients), runtime.config.policy
    slots = policy.slots
    return [
        _standings(owners, slots),
        _blocks(owners, slots),
        _away(owners, policy),
        _tiers(owners, slots),
        _chats(owners),
    ]


def _standings(owners: Owners, slots: Slots) -> Part[Restriction]:
    async def apply(tx: Tx, told: Sequence[Restriction]) -> None:
        for each in told:
            await change_restriction(tx, each, slots)

    return Part(
        name="standings",
        copy=inventories.STANDINGS,
        ask=owners.list_restrictions,
        rows=lambda told: [Row((told.user_id,), (told.restricted, told.suspended, told.changed_at), told.version)],
        apply=apply,
        untold=(False, False, None),
        at_once=1,
    )


def _blocks(owners: Owners, slots: Slots) -> Part[BlockNotice]:
    async def apply(tx: Tx, told: Sequence[BlockNotice]) -> None:
        for each in told:
            await (block_pair if each.blocked else unblock_pair)(tx, each, slots)

    return Part(
        name="blocks",
        copy=blocks.COPY,
        ask=owners.list_blocks,
        rows=lambda told: [
            Row((told.blocker_id, told.blocked_id), (told.block_id, told.blocked, told.changed_at), told.version)
        ],
        apply=apply,
        untold=(ANYTHING, False, ANYTHING),
        at_once=1,
    )


def _away(owners: Owners, policy: Policy) -> Part[AccountNotice]:
    """ID-09, ID-16. A member of whom identity knows nothing is erased: the row goes on saying closed."""

    async def apply(tx: Tx, told: Sequence[AccountNotice]) -> None:
        for each in told:
            await change_account(tx, each, policy)

    return Part(
        name="away",
        copy=inventories.AWAY,
        ask=owners.list_accounts,
        rows=lambda told: [Row((told.user_id,), (told.paused, told.closed), told.version)],
        apply=apply,
        silent=lambda told: not told.paused and not told.closed,
        at_once=1,
    )


def _tiers(owners: Owners, slots: Slots) -> Part[tuple[UUID, Tier, int]]:
    async def apply(tx: Tx, told: Sequence[tuple[UUID, Tier, int]]) -> None:
        for user_id, tier, version in told:
            await change_tier(tx, user_id, tier, version, slots)

    return Part(
        name="tiers",
        copy=inventories.TIERS,
        ask=owners.list_tiers,
        rows=lambda told: [Row((told[0],), (told[1], slots.of(told[1])), told[2])],
        apply=apply,
        untold=(Tier.FREE, slots.of(Tier.FREE)),
        unknown=lambda key: (key[0], Tier.FREE, 0),
        at_once=1,
    )


def _chats(owners: Owners) -> Part[tuple[UUID, datetime]]:
    """A connection that ended before its streak was known to be completed has no chat, and gets none."""

    async def apply(tx: Tx, told: Sequence[tuple[UUID, datetime]]) -> None:
        for connection_id, completed_at in told:
            await unlock_connection_chat(tx, connection_id, completed_at)

    return Part(
        name="chats",
        copy=connections.CHATS,
        ask=owners.list_completed,
        rows=lambda told: [Row((told[0],))],
        apply=apply,
        at_once=1,
    )
