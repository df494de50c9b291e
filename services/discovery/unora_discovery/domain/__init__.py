"""Discovery's rules, pure: what a card shows, whom the pool holds, and when a batch may be replaced."""

from unora_discovery.domain.cards import BATCH_SIZE, Batch, Card, CardHobby, Dealt, deal
from unora_discovery.domain.errors import (
    CapacityLocked,
    CardNotFound,
    NotAMember,
    NotDiscoveryReady,
    PoolTooSmall,
    RefreshLocked,
)
from unora_discovery.domain.pool import AgeBand, Candidate, Exclusion, Gender, Hobby, Inventory, Profile, Reason, Tier
from unora_discovery.domain.refresh import Policy, Timer, Viewer, next_refresh_at, refresh
from unora_discovery.domain.servers import Server, ServerType

__all__ = [
    "BATCH_SIZE",
    "AgeBand",
    "Batch",
    "Candidate",
    "CapacityLocked",
    "Card",
    "CardHobby",
    "CardNotFound",
    "Dealt",
    "Exclusion",
    "Gender",
    "Hobby",
    "Inventory",
    "NotAMember",
    "NotDiscoveryReady",
    "Policy",
    "PoolTooSmall",
    "Profile",
    "Reason",
    "RefreshLocked",
    "Server",
    "ServerType",
    "Tier",
    "Timer",
    "Viewer",
    "deal",
    "next_refresh_at",
    "refresh",
]
