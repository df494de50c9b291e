"""The events of discovery. They have the names and fields of `unora/discovery/v1/events.proto`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_discovery.domain.servers import ServerType


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerJoined(DomainEvent):
    """DI-01: the member is in a server."""

    user_id: UUID
    version: int
    server_type: ServerType
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLeft(DomainEvent):
    """DI-01: the member is not in a server any more."""

    user_id: UUID
    version: int
    server_type: ServerType
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRefreshed(DomainEvent):
    """DI-03, DI-04: the member has a new batch, and this timer after it."""

    user_id: UUID
    version: int
    server_type: ServerType
    batch_id: UUID
    timer_spent: bool
    last_global_refresh_at: datetime | None
    refresh_available_at: datetime | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTimerChanged(DomainEvent):
    """DI-14: a new tier changed the member's timer to this one."""

    user_id: UUID
    version: int
    last_global_refresh_at: datetime | None
    refresh_available_at: datetime | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErasedFromDiscovery(DomainEvent):
    """ID-09: what this context kept of a member is erased. The aggregate is the erasure."""

    erasure_id: UUID
    version: int
    user_id: UUID
    occurred_at: datetime
