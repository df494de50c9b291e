"""DI-04, DI-06, DI-14: when a batch may be replaced, and how refreshes and tiers change the one timer of a member."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from unora_discovery.domain.errors import AccountPaused, CapacityLocked, NotAMember, NotDiscoveryReady, RefreshLocked
from unora_discovery.domain.policy import Policy
from unora_discovery.domain.pool import Tier


@dataclass(frozen=True, slots=True)
class Timer:
    """A member's refresh timer (times UTC). Both are None until a refresh spends it for the first time."""

    last_global_refresh_at: datetime | None = None
    refresh_available_at: datetime | None = None

    def runs_until(self, now: datetime) -> datetime | None:
        """When it ends; None if it has ended or never ran."""
        return self.refresh_available_at if self.refresh_available_at and self.refresh_available_at > now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A member who looks at one server."""

    joined: bool
    discovery_ready: bool
    tier: Tier
    active_connection_count: int
    connection_limit: int
    hobby_option_ids: frozenset[str]
    had_batch: bool
    """Whether they ever had a batch in this server: the first one does not spend the timer."""
    batch_id: UUID | None
    """The active batch there."""
    timer: Timer
    paused: bool = False
    """ID-16: as identity told just now; it is asked only about who is not discovery-ready."""

    @property
    def at_capacity(self) -> bool:
        """DI-06. The limit may have fallen below the count."""
        return self.active_connection_count >= self.connection_limit


def refresh(viewer: Viewer, now: datetime, policy: Policy, missing: Iterable[str] = ()) -> Timer:
    """The timer after a refresh that is allowed now; unchanged if the batch is the server's first. `missing` is what a
    viewer who is not discovery-ready lacks, if it is known.

    Raises NotAMember, AccountPaused, NotDiscoveryReady, CapacityLocked, RefreshLocked.
    """
    require_joined(viewer)
    require_discovery_ready(viewer, missing)
    if viewer.at_capacity:
        raise CapacityLocked
    if not viewer.had_batch:
        return viewer.timer
    locked_until = viewer.timer.runs_until(now)
    if locked_until:
        raise RefreshLocked(locked_until)
    return apply_tier(replace(viewer.timer, last_global_refresh_at=now), viewer.tier, policy)


def require_joined(viewer: Viewer) -> None:
    """DI-01. Raises NotAMember."""
    if not viewer.joined:
        raise NotAMember


def require_discovery_ready(viewer: Viewer, missing: Iterable[str]) -> None:
    """PR-06, ID-16. Raises AccountPaused, or NotDiscoveryReady with what is missing."""
    if viewer.paused:
        raise AccountPaused
    if not viewer.discovery_ready:
        raise NotDiscoveryReady(missing)


def apply_tier(timer: Timer, tier: Tier, policy: Policy) -> Timer:
    """DI-14: the timer with the duration of a tier, from the last refresh that spent it. One never spent stays so."""
    spent_at = timer.last_global_refresh_at
    return replace(timer, refresh_available_at=spent_at + policy.refresh_every[tier]) if spent_at else timer


def next_refresh_at(viewer: Viewer, now: datetime) -> datetime | None:
    """When this server can be refreshed next; None if the timer allows it now, as it does for a first batch."""
    return viewer.timer.runs_until(now) if viewer.had_batch else None
