"""Joining a server, and replacing a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_common.service import App

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain import Batch, NotDiscoveryReady, Policy, Profile, ServerType, Viewer, deal, refresh
from unora_discovery.messages import batch_refreshed, server_joined
from unora_discovery.store import batches, members, pool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call saw before its transaction."""

    profile: Profile | None
    """From identity, if the pool does not know the member as ready: its event may still be on the way."""
    had_batch: bool


async def look(app: App[DiscoveryConfig], directory: Directory, user_id: UUID, server: ServerType) -> Seen:
    """Looks before the transaction, in which nobody else is asked."""
    async with app.database.session() as db:
        viewer, _ = await members.viewer(db, user_id, server)
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


async def refresh_batch(tx: Tx, server: ServerType, seen: Seen, policy: Policy) -> tuple[Viewer, Batch]:
    """DI-02 to DI-09: five new cards for the caller, or a refusal that changes nothing.

    Of two calls at once the timer's lock decides: the second finds the timer spent. Only a server's first batch spends
    none. There a call that looked before the first batch was committed, and gets the lock after, is given that batch:
    to replace it would cost a member the timer for having tapped twice. A call that looks after it was committed, be
    it that it came so late or that it had to wait for a connection, is an ordinary refresh (DI-04): a second batch and
    the timer spent, or neither. A client that repeats a call because it heard nothing sends the same request id, and
    gets the first answer whenever it comes (BI-08).
    """
    await members.lock(tx, tx.user)
    viewer = await _viewer(tx, server, seen)
    if viewer.had_batch and not seen.had_batch:
        made = await batches.active(tx, tx.user, server)
        if made:
            return viewer, made
    timer = refresh(viewer, tx.now, policy)
    found = await pool.search(tx, tx.user, server, viewer.hobby_option_ids, tx.now - policy.shown_again_after)
    # Ids of cards are random through and through: one that held a time would be less opaque (DI-08).
    dealt = deal(found, viewer.hobby_option_ids, uuid4)
    batch, version = await batches.replace(tx, tx.user, server, uuid7(), dealt, timer)
    tx.emit(batch_refreshed(tx.user, version, server, batch, viewer.timer, timer))
    return replace(viewer, had_batch=True, timer=timer), batch


async def _viewer(tx: Tx, server: ServerType, seen: Seen) -> Viewer:
    """The caller, whose row is locked, with what identity said of them just now."""
    if seen.profile:
        await pool.project_profile(tx, seen.profile)
    viewer, _ = await members.viewer(tx, tx.user, server)
    return viewer
