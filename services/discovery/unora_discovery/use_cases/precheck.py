"""What a call reads before its transaction, in which no other context is called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from unora_common.database import Database, Tx

from unora_discovery.clients import Directory
from unora_discovery.domain.pool import Profile
from unora_discovery.domain.refresh import Viewer
from unora_discovery.domain.servers import ServerType
from unora_discovery.store import pool, screens


@dataclass(frozen=True, slots=True)
class Precheck:
    """The state before the transaction."""

    profile: Profile | None
    """From identity, if the pool does not know the member as discovery-ready: the event may not have arrived yet."""
    had_batch: bool
    """Whether the member had had a batch in the server."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What the member lacks to be discovery-ready (PR-06), as far as identity was asked."""
        return self.profile.missing if self.profile else ()

    @property
    def paused(self) -> bool:
        """ID-16: whether the member has paused; they are not discovery-ready then, so identity was asked."""
        return self.profile is not None and self.profile.paused


async def prefetch(database: Database, directory: Directory, user_id: UUID, server: ServerType) -> Precheck:
    """Reads the state before the transaction, and asks identity if it is needed."""
    async with database.session() as session:
        viewer = await screens.get_viewer(session, user_id, server)
    profiles = [] if viewer.discovery_ready else await directory.get_profiles([user_id])
    return Precheck(profiles[0] if profiles else None, viewer.had_batch)


async def get_checked_viewer(tx: Tx, server: ServerType, precheck: Precheck) -> Viewer:
    """Stores the profile of the precheck in the pool, then reads the caller. The caller's row must be locked."""
    if precheck.profile:
        await pool.project_profiles(tx, [precheck.profile])
    viewer = await screens.get_viewer(tx, tx.user, server)
    return replace(viewer, paused=precheck.paused)
