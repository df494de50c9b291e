"""DI-02 to DI-13: showing and replacing a batch."""

from __future__ import annotations

from dataclasses import replace
from random import SystemRandom
from uuid import UUID, uuid4

from unora_common.database import Session, Tx
from unora_common.ids import uuid7

from unora_discovery.domain.cards import BATCH_SIZE, deal, require_five
from unora_discovery.domain.errors import NotAMember
from unora_discovery.domain.events import BatchRefreshed
from unora_discovery.domain.planes import Seeker
from unora_discovery.domain.policy import Policy
from unora_discovery.domain.randomness import RandomSource, tie_seed, visibility_below, visibility_seed
from unora_discovery.domain.refresh import Viewer, refresh, require_joined
from unora_discovery.domain.screens import Screen
from unora_discovery.domain.search import SearchCriteria, SearchResult
from unora_discovery.domain.servers import ServerType
from unora_discovery.messages.events import to_message
from unora_discovery.resources import Pool
from unora_discovery.store import batches, members, screens
from unora_discovery.store.pool import project_profiles
from unora_discovery.store.seekers import get_seeker
from unora_discovery.use_cases.candidates import find_candidates
from unora_discovery.use_cases.following import AT_ONCE, follow_in, take_over
from unora_discovery.use_cases.precheck import Precheck

RANDOM: RandomSource = SystemRandom()


async def get_screen(session: Session, user_id: UUID, server: ServerType) -> Screen:
    """DI-06: the locks and the active batch. Raises NotAMember."""
    screen = await screens.get_screen(session, user_id, server)
    require_joined(screen.viewer)
    return screen


async def refresh_batch(tx: Tx, server: ServerType, precheck: Precheck, policy: Policy, pool: Pool) -> Screen:
    """DI-02 to DI-13: five new cards for the caller, or a refusal that changes nothing.

    The lock of the timer orders calls at the same time: the second finds the timer spent. But the first batch of a
    server does not spend it. So a call whose precheck came before the first batch was committed, and which gets the
    lock after it, returns that batch: a member who tapped twice must not lose the timer. A call whose precheck came
    after that commit, because it arrived late or waited for a connection, is an ordinary refresh (DI-04): a second
    batch and the timer spent, or neither. A client that repeats a call without an answer sends the same request id,
    and gets the first answer at any time (BI-08).
    """
    if not await members.lock(tx, tx.user):
        raise NotAMember
    viewer, seeker = await _get_seeker(tx, server, precheck, pool)
    if viewer.had_batch and not precheck.had_batch:
        screen = await screens.get_screen(tx, tx.user, server)
        if screen.batch:
            return replace(screen, viewer=viewer, now=tx.now)
    timer = refresh(replace(viewer, paused=precheck.paused), tx.now, policy, precheck.missing)
    found = await _search(tx, server, viewer, seeker, policy, pool)
    if len(found.ranked) < BATCH_SIZE and pool.behind and precheck.profile is None:
        await follow_in(tx, pool)  # nobody is refused because the planes are late
        found = await _search(tx, server, viewer, seeker, policy, pool)
    require_five(found, seeker.filters)
    # A card's id is a random UUID: one with a time in it would be less opaque (DI-08).
    dealt = deal(found, viewer.hobby_option_ids, policy.odds, RANDOM, uuid4)
    batch, version = await batches.replace(tx, tx.user, server, uuid7(), dealt, timer)
    tx.emit(
        to_message(
            BatchRefreshed(
                user_id=tx.user,
                version=version,
                server_type=server,
                batch_id=batch.id,
                timer_spent=timer != viewer.timer,
                last_global_refresh_at=timer.last_global_refresh_at,
                refresh_available_at=timer.refresh_available_at,
                occurred_at=batch.created_at,
            )
        )
    )
    return Screen(server, replace(viewer, had_batch=True, batch_id=batch.id, timer=timer), batch, tx.now)


async def _get_seeker(tx: Tx, server: ServerType, precheck: Precheck, pool: Pool) -> tuple[Viewer, Seeker]:
    """The caller, whose row is locked. The planes take over what others changed in the pool (DI-17)."""
    if precheck.profile:
        await project_profiles(tx, [precheck.profile])
    cursor = pool.cursor
    viewer, seeker, changes = await get_seeker(tx, tx.user, server, cursor, AT_ONCE + 1)
    if precheck.profile is None:  # else this transaction has changed the pool, and may still be rolled back
        await take_over(tx, pool, cursor, changes)
    return viewer, seeker


async def _search(
    tx: Tx, server: ServerType, viewer: Viewer, seeker: Seeker, policy: Policy, pool: Pool
) -> SearchResult:
    criteria = SearchCriteria(
        hobbies=viewer.hobby_option_ids,
        not_shown_since=tx.now - policy.shown_again_after,
        now=tx.now,
        tie_seed=tie_seed(RANDOM),
        visibility_seed=visibility_seed(tx.user, server, viewer.batch_id, tx.now),
        visibility_below=visibility_below(policy.odds.reduced_visibility),
        ranked_limit=BATCH_SIZE,
    )
    return await find_candidates(tx, pool.planes, tx.user, seeker, server, criteria)
