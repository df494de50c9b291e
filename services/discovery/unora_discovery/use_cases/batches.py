"""Joining and leaving a server, replacing a batch, and what a change of tier does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import SystemRandom
from uuid import UUID, uuid4

from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain import (
    BATCH_SIZE,
    Batch,
    Chance,
    Dealt,
    NotAMember,
    NotDiscoveryReady,
    Policy,
    Profile,
    ServerType,
    Tier,
    Viewer,
    deal,
    refresh,
    retime,
    tie_seed,
    visibility_below,
    visibility_seed,
)
from unora_discovery.messages import batch_refreshed, refresh_timer_changed, server_joined, server_left
from unora_discovery.store import batches, members, pool, screens
from unora_discovery.store.search import Asked, search

CHANCE: Chance = SystemRandom()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call saw before its transaction."""

    profile: Profile | None
    """From identity, if the pool does not know the member as ready: its event may still be on the way."""
    had_batch: bool


async def look(
    runtime: Runtime[DiscoveryConfig, None], directory: Directory, user_id: UUID, server: ServerType
) -> Seen:
    """Looks before the transaction, in which nobody else is asked."""
    async with runtime.database.session() as db:
        viewer, _ = await screens.viewer(db, user_id, server)
    return Seen(None if viewer.discovery_ready else await directory.profile(user_id), viewer.had_batch)


async def join(tx: Tx, server: ServerType, seen: Seen) -> None:
    """DI-01: the caller joins; once more changes nothing."""
    await members.make_and_lock(tx, tx.user)
    viewer = await _viewer(tx, server, seen)
    if viewer.joined:
        return
    if not viewer.discovery_ready:
        raise NotDiscoveryReady
    version = await members.join(tx, tx.user, server)
    tx.emit(server_joined(tx.user, version, server, tx.now))


async def leave(tx: Tx, server: ServerType) -> None:
    """DI-01: the caller leaves, and their batch there is closed; who is not in the server changes nothing."""
    if not await members.lock(tx, tx.user):
        return
    viewer, _ = await screens.viewer(tx, tx.user, server)
    if not viewer.joined:
        return
    await batches.close(tx, tx.user, server)
    version = await members.leave(tx, tx.user, server)
    tx.emit(server_left(tx.user, version, server, tx.now))


async def refresh_batch(tx: Tx, server: ServerType, seen: Seen, policy: Policy) -> tuple[Viewer, Batch]:
    """DI-02 to DI-13: five new cards for the caller, or a refusal that changes nothing.

    Of two calls at once the timer's lock decides: the second finds the timer spent. Only a server's first batch spends
    none. There a call that looked before the first batch was committed, and gets the lock after, is given that batch:
    to replace it would cost a member the timer for having tapped twice. A call that looks after it was committed, be
    it that it came so late or that it had to wait for a connection, is an ordinary refresh (DI-04): a second batch and
    the timer spent, or neither. A client that repeats a call because it heard nothing sends the same request id, and
    gets the first answer whenever it comes (BI-08).
    """
    if not await members.lock(tx, tx.user):
        raise NotAMember
    viewer = await _viewer(tx, server, seen)
    if viewer.had_batch and not seen.had_batch:
        _, made, _ = await screens.screen(tx, tx.user, server)
        if made:
            return viewer, made
    timer = refresh(viewer, tx.now, policy)
    dealt = await _deal(tx, server, viewer, policy)
    batch, version = await batches.replace(tx, tx.user, server, uuid7(), dealt, timer)
    tx.emit(batch_refreshed(tx.user, version, server, batch, viewer.timer, timer))
    return replace(viewer, had_batch=True, batch_id=batch.id, timer=timer), batch


async def change_tier(tx: Tx, user_id: UUID, version: int, tier: Tier, policy: Policy) -> None:
    """DI-14: a newer tier of a member counts at once, for the timer that runs as for those to come."""
    timer = await members.lock(tx, user_id)
    newer = await pool.project_tier(tx, user_id, version, tier)
    if timer is None or not newer:
        return
    changed = retime(timer, tier, policy)
    if changed != timer:
        told = await members.retime(tx, user_id, changed)
        tx.emit(refresh_timer_changed(user_id, told, changed, tx.now))


async def _deal(tx: Tx, server: ServerType, viewer: Viewer, policy: Policy) -> tuple[Dealt, ...]:
    odds = policy.odds
    asked = Asked(
        hobbies=viewer.hobby_option_ids,
        not_shown_since=tx.now - policy.shown_again_after,
        now=tx.now,
        tie_seed=tie_seed(CHANCE),
        visibility_seed=visibility_seed(tx.user, server, viewer.batch_id, tx.now),
        visibility_below=visibility_below(odds.reduced_visibility),
        ranked=BATCH_SIZE,
    )
    found = await search(tx, tx.user, server, asked)
    # Ids of cards are random through and through: one that held a time would be less opaque (DI-08).
    return deal(found, viewer.hobby_option_ids, odds, CHANCE, uuid4)


async def _viewer(tx: Tx, server: ServerType, seen: Seen) -> Viewer:
    """The caller, whose row is locked, with what identity said of them just now."""
    if seen.profile:
        await pool.project_profile(tx, seen.profile)
    viewer, _ = await screens.viewer(tx, tx.user, server)
    return viewer
