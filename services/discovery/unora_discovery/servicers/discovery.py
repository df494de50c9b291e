"""DiscoveryService and CardService: proto to domain and back."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from unora.discovery.v1.card_service_pb2 import ResolveCardRequest, ResolveCardResponse
from unora.discovery.v1.discovery_service_pb2 import (
    GetFiltersRequest,
    GetFiltersResponse,
    GetScreenRequest,
    GetScreenResponse,
    JoinServerRequest,
    JoinServerResponse,
    LeaveServerRequest,
    LeaveServerResponse,
    ListServersRequest,
    ListServersResponse,
    RefreshBatchRequest,
    RefreshBatchResponse,
    UpdateFiltersRequest,
    UpdateFiltersResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import idempotent, reads
from unora_common.messages import SERVER_NAMES, SERVERS
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain import NotAMember, ServerType
from unora_discovery.messages import changed_filters, to_filters, to_screen, to_server
from unora_discovery.store import batches, filters, members, screens
from unora_discovery.use_cases import Seen, join, leave, look, refresh_batch

R = TypeVar("R", JoinServerRequest, RefreshBatchRequest)


class Discovery:
    """Servers, batches and cards, for members."""

    service = "unora.discovery.v1.DiscoveryService"

    def __init__(self, runtime: Runtime[DiscoveryConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.directory = Directory(runtime.clients)

    @reads
    async def ListServers(self, request: ListServersRequest, db: Session) -> ListServersResponse:
        """DI-01: all three, and which the caller has joined."""
        found = await members.servers(db, db.user)
        return ListServersResponse(servers=[to_server(server) for server in found.values()])

    @reads
    async def GetScreen(self, request: GetScreenRequest, db: Session) -> GetScreenResponse:
        """DI-06: the locks, and the batch unless the capacity lock hides it."""
        server = ServerType(SERVER_NAMES[request.server_type])
        viewer, batch, now = await screens.screen(db, db.user, server)
        if not viewer.joined:
            raise NotAMember
        return GetScreenResponse(screen=to_screen(server, viewer, batch, now))

    async def _look(self, request: R, call: Call) -> Seen:
        assert call.user is not None
        return await look(self.runtime, self.directory, call.user, ServerType(SERVER_NAMES[request.server_type]))

    @idempotent(prepare=_look)
    async def JoinServer(self, request: JoinServerRequest, tx: Tx, seen: Seen) -> JoinServerResponse:
        """DI-01, PR-06: for who is discovery-ready, as identity says if the pool does not know it yet."""
        server = ServerType(SERVER_NAMES[request.server_type])
        await join(tx, server, seen)
        return JoinServerResponse(server=to_server((await members.servers(tx, tx.user))[server]))

    @idempotent
    async def LeaveServer(self, request: LeaveServerRequest, tx: Tx) -> LeaveServerResponse:
        """DI-01: out of the pool, and the active batch with it."""
        server = ServerType(SERVER_NAMES[request.server_type])
        await leave(tx, server)
        return LeaveServerResponse(server=to_server((await members.servers(tx, tx.user))[server]))

    @idempotent(prepare=_look)
    async def RefreshBatch(self, request: RefreshBatchRequest, tx: Tx, seen: Seen) -> RefreshBatchResponse:
        """DI-02 to DI-13: five new cards, or a refusal that changes nothing."""
        server = ServerType(SERVER_NAMES[request.server_type])
        viewer, batch = await refresh_batch(tx, server, seen, self.policy)
        return RefreshBatchResponse(screen=to_screen(server, viewer, batch, tx.now))

    @reads
    async def GetFilters(self, request: GetFiltersRequest, db: Session) -> GetFiltersResponse:
        """DI-05: the caller's own; there is no way to see another's."""
        found = await filters.find(db, db.user, ServerType(SERVER_NAMES[request.server_type]))
        return GetFiltersResponse(filters=to_filters(found))

    @idempotent
    async def UpdateFilters(self, request: UpdateFiltersRequest, tx: Tx) -> UpdateFiltersResponse:
        """DI-05: what the mask names changes, for the next refresh. Changes of several fields at once all count."""
        server = ServerType(SERVER_NAMES[request.server_type])
        before = await filters.lock(tx, tx.user, server)
        after = changed_filters(before, request.filters, request.update_mask)
        filters.save(tx, tx.user, server, after)
        return UpdateFiltersResponse(filters=to_filters(after))


class Cards:
    """Who is behind a card, for the contexts that act on one."""

    service = "unora.discovery.v1.CardService"

    def __init__(self, runtime: Runtime[DiscoveryConfig, None]) -> None:
        self.runtime = runtime

    @reads
    async def ResolveCard(self, request: ResolveCardRequest, db: Session) -> ResolveCardResponse:
        """Cards that the viewer has before them now; to block and report (SA-02), also older ones that are kept."""
        user_id, server = await batches.resolve(
            db, UUID(request.card_id), UUID(request.viewer_id), allow_replaced=request.allow_replaced
        )
        return ResolveCardResponse(user_id=str(user_id), server_type=SERVERS[server])
