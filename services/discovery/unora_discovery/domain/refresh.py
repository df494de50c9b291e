"""DI-04, DI-06, DI-14: when a batch may be replaced, and what that and a tier do to the one timer of all servers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from unora_discovery.domain.cards import Odds
from unora_discovery.domain.errors import CapacityLocked, NotAMember, NotDiscoveryReady, RefreshLocked
from unora_discovery.domain.pool import Tier


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of these rules."""

    refresh_every: Mapping[Tier, timedelta]
    shown_again_after: timedelta
    odds: Odds


@dataclass(frozen=True, slots=True)
class Timer:
    """A member's refresh timer (times UTC); both are None until it is spent for the first time."""

    last_global_refresh_at: datetime | None = None
    refresh_available_at: datetime | None = None

    def runs_until(self, now: datetime) -> datetime | None:
        """When it runs out; None when it has, or never ran."""
        return self.refresh_available_at if self.refresh_available_at and self.refresh_available_at > now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A member in front of one server."""

    joined: bool
    discovery_ready: bool
    tier: Tier
    active_connection_count: int
    connection_limit: int
    hobby_option_ids: frozenset[str]
    had_batch: bool
    """Whether they ever had a batch in this server: the first is free of the timer."""
    batch_id: UUID | None
    """The active batch there."""
    timer: Timer

    @property
    def at_capacity(self) -> bool:
        """DI-06. The limit may have fallen below the count."""
        return self.active_connection_count >= self.connection_limit


def refresh(viewer: Viewer, now: datetime, policy: Policy) -> Timer:
    """The timer as it stands after a refresh that is allowed now; the same one if the batch is the server's first.

    Raises NotAMember, NotDiscoveryReady, CapacityLocked, RefreshLocked.
    """
    if not viewer.joined:
        raise NotAMember
    if not viewer.discovery_ready:
        raise NotDiscoveryReady
    if viewer.at_capacity:
        raise CapacityLocked
    if not viewer.had_batch:
        return viewer.timer
    locked_until = viewer.timer.runs_until(now)
    if locked_until:
        raise RefreshLocked(locked_until)
    return retime(replace(viewer.timer, last_global_refresh_at=now), viewer.tier, policy)


def retime(timer: Timer, tier: Tier, policy: Policy) -> Timer:
    """DI-14: the timer as a tier has it, counted from the refresh that spent it last; one never spent stays so."""
    spent = timer.last_global_refresh_at
    return replace(timer, refresh_available_at=spent + policy.refresh_every[tier]) if spent else timer


def next_refresh_at(viewer: Viewer, now: datetime) -> datetime | None:
    """When this server can be refreshed next; None when the timer allows it now, as it does for a first batch."""
    return viewer.timer.runs_until(now) if viewer.had_batch else None
