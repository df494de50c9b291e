"""DiscoveryService: servers, batches and filters, for members."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final
from uuid import UUID

from unora.common.v1.types_pb2 import ServerType as ServerTypeNumber
from unora.discovery.v1.discovery_service_pb2 import (
    GetFiltersRequest,
    GetFiltersResponse,
    GetScreenRequest,
    GetScreenResponse,
    JoinServerRequest,
    JoinServerResponse,
    LeaveServerRequest,
    LeaveServerResponse,
    ListPartnerCardsRequest,
    ListPartnerCardsResponse,
    ListServersRequest,
    ListServersResponse,
    RefreshBatchRequest,
    RefreshBatchResponse,
    UpdateFiltersRequest,
    UpdateFiltersResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_idempotent, idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.messages.cards import hide_texts, to_partner_card, to_screen
from unora_discovery.messages.filters import from_filter_changes, to_filters
from unora_discovery.messages.servers import from_server_type, to_server
from unora_discovery.resources import Resources
from unora_discovery.store import filters, members, partners, screens
from unora_discovery.use_cases.batches import get_screen, refresh_batch
from unora_discovery.use_cases.filters import update_filters
from unora_discovery.use_cases.following import load_once
from unora_discovery.use_cases.memberships import join_server, leave_server
from unora_discovery.use_cases.precheck import Precheck, prefetch

NEW_RESPONSE: Final[ContextVar[RefreshBatchResponse | None]] = ContextVar("NEW_RESPONSE", default=None)
"""What this call has just dealt; what is returned and is not this, is a repeat of an earlier answer."""


class Discovery:
    """Servers, batches, cards and filters."""

    service = "unora.discovery.v1.DiscoveryService"

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.directory = Directory(runtime.clients)
        self.pool = runtime.resources.pool

    @reads
    async def ListServers(self, request: ListServersRequest, db: Session) -> ListServersResponse:
        """DI-01: all three servers, and which of them the caller has joined."""
        servers = await members.list_servers(db, db.user)
        return ListServersResponse(servers=[to_server(server) for server in servers.values()])

    @reads
    async def GetScreen(self, request: GetScreenRequest, db: Session) -> GetScreenResponse:
        """DI-06: the locks, and the batch unless the capacity lock hides it."""
        screen = await get_screen(db, db.user, from_server_type(request.server_type))
        return GetScreenResponse(screen=to_screen(screen), server_time=to_timestamp(screen.now))

    @reads
    async def ListPartnerCards(self, request: ListPartnerCardsRequest, db: Session) -> ListPartnerCardsResponse:
        """DI-15: of the caller's active connections, in which neither blocks the other."""
        return ListPartnerCardsResponse(cards=map(to_partner_card, await partners.list_cards(db, db.user)))

    async def _prefetch(self, call: Call, server: ServerTypeNumber.ValueType) -> Precheck:
        assert call.user is not None
        return await prefetch(self.runtime.database, self.directory, call.user, from_server_type(server))

    async def _before_join(self, request: JoinServerRequest, call: Call) -> Precheck:
        return await self._prefetch(call, request.server_type)

    @idempotent(prepare=_before_join)
    async def JoinServer(self, request: JoinServerRequest, tx: Tx, precheck: Precheck) -> JoinServerResponse:
        """DI-01, PR-06: for a discovery-ready member; identity is asked if the pool does not know it yet."""
        server = await join_server(tx, from_server_type(request.server_type), precheck)
        return JoinServerResponse(server=to_server(server))

    @idempotent
    async def LeaveServer(self, request: LeaveServerRequest, tx: Tx) -> LeaveServerResponse:
        """DI-01: takes the caller out of the pool, and closes the active batch."""
        server = await leave_server(tx, from_server_type(request.server_type))
        return LeaveServerResponse(server=to_server(server))

    @custom_idempotent
    async def RefreshBatch(self, request: RefreshBatchRequest, call: Call) -> RefreshBatchResponse:
        """DI-02 to DI-13: five new cards, or a refusal that changes nothing. A repeat gets the cards of the first
        answer, but no text that was hidden since (PR-10).
        """
        response = await self._refresh(request, call)
        batch = response.screen.batch
        if batch.cards and response is not NEW_RESPONSE.get():
            async with self.runtime.database.session(call.user) as db:
                hide_texts(batch, await screens.list_reviewed(db, UUID(batch.batch_id)))
        return response

    async def _before_refresh(self, request: RefreshBatchRequest, call: Call) -> Precheck:
        await load_once(self.runtime.database, self.pool)
        return await self._prefetch(call, request.server_type)

    @idempotent(prepare=_before_refresh)
    async def _refresh(self, request: RefreshBatchRequest, tx: Tx, precheck: Precheck) -> RefreshBatchResponse:
        screen = await refresh_batch(tx, from_server_type(request.server_type), precheck, self.policy, self.pool)
        response = RefreshBatchResponse(screen=to_screen(screen))
        NEW_RESPONSE.set(response)
        return response

    @reads
    async def GetFilters(self, request: GetFiltersRequest, db: Session) -> GetFiltersResponse:
        """DI-05: the caller's own filters; no method shows another member's."""
        found = await filters.get(db, db.user, from_server_type(request.server_type))
        return GetFiltersResponse(filters=to_filters(found))

    @idempotent
    async def UpdateFilters(self, request: UpdateFiltersRequest, tx: Tx) -> UpdateFiltersResponse:
        """DI-05: changes the fields that the mask names, for the next refresh."""
        changes = from_filter_changes(request.filters, request.update_mask)
        after = await update_filters(tx, from_server_type(request.server_type), changes)
        return UpdateFiltersResponse(filters=to_filters(after))
