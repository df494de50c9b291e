"""MatchingService."""

from __future__ import annotations

from uuid import UUID

from unora.matching.v1.matching_service_pb2 import (
    EndConnectionRequest,
    EndConnectionResponse,
    GetConnectionRequest,
    GetConnectionResponse,
    GetInventoryRequest,
    GetInventoryResponse,
    ListConnectionsRequest,
    ListConnectionsResponse,
    ListSentInterestsRequest,
    ListSentInterestsResponse,
    SendInterestRequest,
    SendInterestResponse,
    WithdrawInterestRequest,
    WithdrawInterestResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import custom_read, idempotent, reads
from unora_common.outages import Outage
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_matching.clients import Cards
from unora_matching.config import MatchingConfig
from unora_matching.domain.interests import ResolvedCard
from unora_matching.messages import END_REASONS, to_connection, to_interest, to_inventory
from unora_matching.store import connections, interests, inventories
from unora_matching.use_cases.end_connections import end_connection
from unora_matching.use_cases.interests import require_may_send, send_interest, withdraw_interest


class Matching:
    """Interests and connections, for members."""

    service = "unora.matching.v1.MatchingService"

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.cards = Cards(runtime.clients)
        self.cards_missing = Outage(runtime.log, "interests listed without cards")

    async def _resolve_card(self, request: SendInterestRequest, call: Call) -> ResolvedCard:
        """MA-13, ID-16: checks the caller's own state before it asks discovery who is behind the card."""
        async with self.runtime.database.session(call.user) as db:
            member = db.user
            await require_may_send(db, member, self.policy.slots)
        return await self.cards.resolve(UUID(request.card_id), member)

    @idempotent(prepare=_resolve_card)
    async def SendInterest(self, request: SendInterestRequest, tx: Tx, card: ResolvedCard) -> SendInterestResponse:
        """MA-01, MA-10: stores the interest, or forms a connection."""
        interest, connection = await send_interest(tx, tx.user, card, self.policy)
        return SendInterestResponse(
            interest=to_interest(interest), connection=to_connection(connection, tx.user) if connection else None
        )

    @idempotent
    async def WithdrawInterest(self, request: WithdrawInterestRequest, tx: Tx) -> WithdrawInterestResponse:
        """MA-11: a void interest can be withdrawn too, since it looks pending to its sender."""
        interest = await withdraw_interest(tx, UUID(request.interest_id), tx.user)
        return WithdrawInterestResponse(interest=to_interest(interest))

    @custom_read
    async def ListSentInterests(self, request: ListSentInterestsRequest, call: Call) -> ListSentInterestsResponse:
        """MA-10: there is no list of received interests. DI-16: discovery is asked what their cards showed; while it
        does not answer, the interests are listed without.
        """
        assert call.user is not None  # the method's access is USER
        listing, size = Listing("interests", call.user), request.page_size or DEFAULT_SIZE
        after = listing.place(request.page_token)
        async with self.runtime.database.session(call.user) as db:
            found = await interests.list_by_sender(db, db.user, after, size + 1)
        page, token = listing.page(found, size, lambda interest: Place(interest.sent_at, interest.id))
        asked = self.cards.list_dealt([interest.card_id for interest in page], call.user) if page else None
        cards = await self.cards_missing.bridge(asked, [])
        return ListSentInterestsResponse(interests=map(to_interest, page), next_page_token=token, cards=cards)

    @reads
    async def GetInventory(self, request: GetInventoryRequest, db: Session) -> GetInventoryResponse:
        """MA-06: the caller's connections and their limit, over all servers."""
        inventory = await inventories.get(db, db.user, self.policy.slots)
        return GetInventoryResponse(inventory=to_inventory(inventory, await inventories.count_pending(db, db.user)))

    @reads
    async def ListConnections(self, request: ListConnectionsRequest, db: Session) -> ListConnectionsResponse:
        """MA-09: an ended connection shows that it ended and when, and no more."""
        listing = Listing("all connections" if request.show_ended else "connections", db.user)
        size, after = request.page_size or DEFAULT_SIZE, listing.place(request.page_token)
        found = await connections.list_by_member(db, db.user, after, size + 1, ended=request.show_ended)
        page, token = listing.page(found, size, lambda connection: Place(connection.formed_at, connection.id))
        shown = [to_connection(connection, db.user) for connection in page]
        return ListConnectionsResponse(connections=shown, next_page_token=token)

    @reads
    async def GetConnection(self, request: GetConnectionRequest, db: Session) -> GetConnectionResponse:
        """MA-09: a connection of the caller, active or ended. It never shows why it ended."""
        connection = await connections.get(db, UUID(request.connection_id), db.user)
        return GetConnectionResponse(connection=to_connection(connection, db.user))

    @idempotent
    async def EndConnection(self, request: EndConnectionRequest, tx: Tx) -> EndConnectionResponse:
        """MA-09: it takes effect for both at once."""
        reason = END_REASONS[request.reason]
        ended = await end_connection(tx, UUID(request.connection_id), tx.user, reason)
        return EndConnectionResponse(connection=to_connection(ended, tx.user))
