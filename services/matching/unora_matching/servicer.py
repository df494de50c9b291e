"""MatchingService and PairService: proto to use cases and back."""

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
from unora.matching.v1.pair_service_pb2 import GetPairRequest, GetPairResponse
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.handlers import idempotent, reads
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_matching.clients import Cards
from unora_matching.config import MatchingConfig
from unora_matching.domain import Wish
from unora_matching.messages import END_REASONS, to_connection, to_interest, to_inventory, to_pair
from unora_matching.store import connections, interests, inventories
from unora_matching.use_cases import end_connection, send_interest, withdraw_interest


class Matching:
    """Interests and connections, for members."""

    service = "unora.matching.v1.MatchingService"

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.cards = Cards(runtime.clients)

    async def _resolve(self, request: SendInterestRequest, call: Call) -> Wish:
        """MA-13: the caller's own slots first, then who is behind the card. The use case looks again under the lock."""
        async with self.runtime.database.session(call.user) as db:
            caller = await inventories.of_member(db, db.user, self.policy.slots)
        caller.demand_open_slot()
        return await self.cards.resolve(UUID(request.card_id), caller.user_id)

    @idempotent(prepare=_resolve)
    async def SendInterest(self, request: SendInterestRequest, tx: Tx, wish: Wish) -> SendInterestResponse:
        """MA-01, MA-10: stored, or a connection; who is behind the card is asked before the transaction."""
        interest, connection = await send_interest(tx, tx.user, wish, self.policy)
        return SendInterestResponse(
            interest=to_interest(interest), connection=to_connection(connection, tx.user) if connection else None
        )

    @idempotent
    async def WithdrawInterest(self, request: WithdrawInterestRequest, tx: Tx) -> WithdrawInterestResponse:
        """MA-11: also a void one, which its sender takes for one that waits."""
        interest = await withdraw_interest(tx, UUID(request.interest_id), tx.user)
        return WithdrawInterestResponse(interest=to_interest(interest))

    @reads
    async def ListSentInterests(self, request: ListSentInterestsRequest, db: Session) -> ListSentInterestsResponse:
        """MA-10: there is no list of received ones."""
        listing, size = Listing("interests", db.user), request.page_size or DEFAULT_SIZE
        found = await interests.sent(db, db.user, listing.place(request.page_token), size + 1)
        page, token = listing.page(found, size, lambda interest: Place(interest.sent_at, interest.id))
        return ListSentInterestsResponse(interests=map(to_interest, page), next_page_token=token)

    @reads
    async def GetInventory(self, request: GetInventoryRequest, db: Session) -> GetInventoryResponse:
        """MA-06: the caller's count and limit over all servers."""
        inventory = await inventories.of_member(db, db.user, self.policy.slots)
        return GetInventoryResponse(inventory=to_inventory(inventory, await inventories.pending_count(db, db.user)))

    @reads
    async def ListConnections(self, request: ListConnectionsRequest, db: Session) -> ListConnectionsResponse:
        """MA-09: an ended one tells that it ended and when, and no more."""
        listing = Listing("all connections" if request.show_ended else "connections", db.user)
        size, after = request.page_size or DEFAULT_SIZE, listing.place(request.page_token)
        found = await connections.of_member(db, db.user, after, size + 1, ended=request.show_ended)
        page, token = listing.page(found, size, lambda connection: Place(connection.formed_at, connection.id))
        shown = [to_connection(connection, db.user) for connection in page]
        return ListConnectionsResponse(connections=shown, next_page_token=token)

    @reads
    async def GetConnection(self, request: GetConnectionRequest, db: Session) -> GetConnectionResponse:
        """MA-09: one of the caller's own, active or ended; never why it ended."""
        connection = await connections.one(db, UUID(request.connection_id), db.user)
        return GetConnectionResponse(connection=to_connection(connection, db.user))

    @idempotent
    async def EndConnection(self, request: EndConnectionRequest, tx: Tx) -> EndConnectionResponse:
        """MA-09: it takes effect for both at once."""
        reason = END_REASONS[request.reason]
        ended = await end_connection(tx, UUID(request.connection_id), tx.user, reason)
        return EndConnectionResponse(connection=to_connection(ended, tx.user))


class Pairs:
    """Pairs, for other contexts."""

    service = "unora.matching.v1.PairService"

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime

    @reads
    async def GetPair(self, request: GetPairRequest, db: Session) -> GetPairResponse:
        """RE-10: the state at this moment."""
        return GetPairResponse(pair=to_pair(await connections.one(db, UUID(request.connection_id))))
