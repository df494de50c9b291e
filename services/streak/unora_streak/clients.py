"""Calls to other contexts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from unora.billing.v1.projection_service_pb2 import ListTiersRequest, MemberTier
from unora.billing.v1.projection_service_pb2_grpc import ProjectionServiceStub as BillingStub
from unora.identity.v1.directory_service_pb2 import GetTimeZonesRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.matching.v1.projection_service_pb2 import ConnectionState, ListConnectionStatesRequest
from unora.matching.v1.projection_service_pb2_grpc import ProjectionServiceStub as MatchingStub
from unora.reveal.v1.projection_service_pb2 import ListRevealStatesRequest, RevealState
from unora.reveal.v1.projection_service_pb2_grpc import ProjectionServiceStub as RevealStub
from unora_common.clients import Clients
from unora_common.messages import SERVER_NAMES, TIER_NAMES, from_timestamp
from unora_common.rebuild_lists import listing

from unora_streak.domain.state import Connection
from unora_streak.domain.time_zones import pair_zone
from unora_streak.store.reveals import WaitingReveal


class Directory:
    """Identity's directory."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")

    async def get_pair_zone(self, a: UUID, b: UUID) -> str:
        """The zone of a pair's days: that of the two members if both have the same zone, else UTC (ST-03)."""
        request = GetTimeZonesRequest(user_ids=[str(a), str(b)])
        response = await self._clients.call(self._stub.GetTimeZones, request)
        return pair_zone(response.time_zones.get(str(a)), response.time_zones.get(str(b)))


class KnownConnection(NamedTuple):
    """A connection, from its beginning to its end (UTC)."""

    connection: Connection
    formed_at: datetime
    ended_at: datetime | None
    zone: str = ""
    """That of the pair's days; empty until identity was asked."""


class Owners:
    """The contexts whose facts streak projects, whole (XX-08)."""

    def __init__(self, clients: Clients) -> None:
        billing = clients.stub(BillingStub, "unora.billing.v1.ProjectionService")
        matching = clients.stub(MatchingStub, "unora.matching.v1.ProjectionService")
        reveal = clients.stub(RevealStub, "unora.reveal.v1.ProjectionService")
        self.list_tiers = listing(clients, billing.ListTiers, ListTiersRequest, "tiers", from_tier)
        self.list_connections = listing(
            clients, matching.ListConnectionStates, ListConnectionStatesRequest, "connections", from_connection_state
        )
        self.list_reveals = listing(
            clients, reveal.ListRevealStates, ListRevealStatesRequest, "reveals", from_reveal_state
        )


def from_tier(tier: MemberTier) -> tuple[UUID, str, int]:
    """A member, the tier, and its version."""
    return UUID(tier.user_id), TIER_NAMES[tier.tier], tier.version


def from_reveal_state(state: RevealState) -> WaitingReveal:
    """A member's reveal, from reveal."""
    return WaitingReveal(UUID(state.streak_id), UUID(state.user_id), state.reveal_number, state.version, state.waiting)


def from_connection_state(state: ConnectionState) -> KnownConnection:
    """A connection, from matching."""
    pair = (UUID(state.user_a_id), UUID(state.user_b_id))
    return KnownConnection(
        Connection(UUID(state.connection_id), pair, SERVER_NAMES[state.server_type]),
        from_timestamp(state.formed_at),
        from_timestamp(state.ended_at) if state.HasField("ended_at") else None,
    )
