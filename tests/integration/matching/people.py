"""Members with cards, and the calls and use cases of matching."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias
from uuid import UUID

from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND, SERVER_TYPE_GROWTH, SERVER_TYPE_PARTNER, ServerType
from unora.matching.v1.matching_service_pb2 import (
    END_REASON_NOT_A_FIT,
    Connection,
    EndConnectionRequest,
    EndReason,
    GetConnectionRequest,
    GetInventoryRequest,
    Interest,
    Inventory,
    ListConnectionsRequest,
    ListSentInterestsRequest,
    SendInterestRequest,
    SendInterestResponse,
    WithdrawInterestRequest,
)
from unora.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from unora_common.database import Database
from unora_common.errors import DomainError
from unora_common.ids import uuid7
from unora_matching.domain.connections import EndReason as Reason
from unora_matching.domain.interests import ResolvedCard
from unora_matching.domain.policy import Policy
from unora_matching.use_cases.end_connections import end_connection
from unora_matching.use_cases.interests import SentInterest, send_interest, withdraw_interest
from unora_testing.world import Caller, World

from tests.support import request_id

Server: TypeAlias = ServerType.ValueType
Tier = Literal["free", "plus", "pro"]
SERVERS: dict[Server, str] = {
    SERVER_TYPE_PARTNER: "partner",
    SERVER_TYPE_FRIEND: "friend",
    SERVER_TYPE_GROWTH: "growth",
}
POLICY = Policy()


class People:
    """The members of one test, and matching as they call it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.matching = world.stub(MatchingServiceStub, "matching")

    @property
    def database(self) -> Database:
        """Matching's own, to run use cases without a call."""
        return self.world.apps["matching"].database

    async def member(self, tier: Tier = "free") -> Caller:
        """A member. Matching has no row of a free one yet."""
        member = self.world.caller()
        if tier != "free":
            await self.store_inventory(member, tier)
        return member

    async def store_inventory(self, member: Caller, tier: Tier = "free") -> None:
        """Stores an inventory, as matching does when a member sends the first interest."""
        await self.world.superuser.execute(
            "INSERT INTO matching.inventory VALUES ($1, $2, 0, $3, 0, $3) ON CONFLICT DO NOTHING",
            *(member.user, tier, getattr(POLICY.slots, tier)),
        )

    async def members(self, *tiers: Tier) -> list[Caller]:
        """Several members, one of each tier given."""
        return [await self.member(tier) for tier in tiers]

    async def card(self, viewer: Caller, shown: Caller, server: Server = SERVER_TYPE_PARTNER) -> str:
        """A card in a new batch of the viewer, with the member `shown` behind it. It replaces the batch before."""
        batch, cards = uuid7(), [uuid7() for _ in range(5)]
        people = [shown.user, *(uuid7() for _ in range(4))]
        async with self.world.superuser.transaction():
            await self.world.superuser.execute(
                """WITH replaced AS (
                    UPDATE discovery.discovery_batches SET deleted_at = clock.now()
                    WHERE user_id = $1 AND server_type = $2 AND deleted_at IS NULL RETURNING id)
                UPDATE discovery.discovery_cards k SET deleted_at = clock.now()
                FROM replaced WHERE k.batch_id = replaced.id""",
                *(viewer.user, SERVERS[server]),
            )
            await self.world.superuser.execute(
                "INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at)"
                " VALUES ($1, $2, $3, clock.now())",
                *(batch, viewer.user, SERVERS[server]),
            )
            await self.world.superuser.executemany(
                """INSERT INTO discovery.discovery_cards
                (id, batch_id, position, shown_user_id, age_band, city, trust_level, hobbies)
                VALUES ($1, $2, $3, $4, '25_29', 'Lisbon', 1, $5)""",
                [
                    (card, batch, position, person, json.dumps([]))
                    for position, (card, person) in enumerate(zip(cards, people, strict=True), 1)
                ],
            )
        return str(cards[0])

    # Calls

    async def send(self, sender: Caller, card_id: str, request: str = "") -> SendInterestResponse:
        """SendInterest."""
        call = SendInterestRequest(request_id=request or request_id(), card_id=card_id)
        answer: SendInterestResponse = await self.matching.SendInterest(call, metadata=sender.metadata)
        return answer

    async def wish(
        self, sender: Caller, receiver: Caller, server: Server = SERVER_TYPE_PARTNER
    ) -> SendInterestResponse:
        """SendInterest on a card of the receiver."""
        return await self.send(sender, await self.card(sender, receiver, server))

    async def withdraw(self, sender: Caller, interest_id: str, request: str = "") -> Interest:
        """WithdrawInterest."""
        call = WithdrawInterestRequest(request_id=request or request_id(), interest_id=interest_id)
        answer = await self.matching.WithdrawInterest(call, metadata=sender.metadata)
        interest: Interest = answer.interest
        return interest

    async def connection(self, member: Caller, connection_id: str) -> Connection:
        """GetConnection."""
        request = GetConnectionRequest(connection_id=connection_id)
        found: Connection = (await self.matching.GetConnection(request, metadata=member.metadata)).connection
        return found

    async def connect(self, one: Caller, other: Caller, server: Server = SERVER_TYPE_PARTNER) -> Connection:
        """Each sends an interest in the other. Returns the connection as the second sees it."""
        await self.wish(one, other, server)
        answer = await self.wish(other, one, server)
        assert answer.HasField("connection")
        return answer.connection

    async def end(
        self,
        member: Caller,
        connection_id: str,
        reason: EndReason.ValueType = END_REASON_NOT_A_FIT,
        request: str = "",
    ) -> Connection:
        """EndConnection."""
        call = EndConnectionRequest(request_id=request or request_id(), connection_id=connection_id, reason=reason)
        answer = await self.matching.EndConnection(call, metadata=member.metadata)
        ended: Connection = answer.connection
        return ended

    async def sent(self, member: Caller) -> list[Interest]:
        """ListSentInterests, the first page."""
        answer = await self.matching.ListSentInterests(ListSentInterestsRequest(), metadata=member.metadata)
        return list(answer.interests)

    async def connections(self, member: Caller, *, show_ended: bool = False) -> list[Connection]:
        """ListConnections, the first page."""
        request = ListConnectionsRequest(show_ended=show_ended)
        return list((await self.matching.ListConnections(request, metadata=member.metadata)).connections)

    async def inventory(self, member: Caller) -> Inventory:
        """GetInventory."""
        answer = await self.matching.GetInventory(GetInventoryRequest(), metadata=member.metadata)
        inventory: Inventory = answer.inventory
        return inventory

    async def all_that_is_shown(self, member: Caller) -> bytes:
        """All that matching shows a member, byte by byte."""
        sent, connected = await self.sent(member), await self.connections(member, show_ended=True)
        messages = [await self.inventory(member), *sent, *connected]
        return b"|".join(message.SerializeToString() for message in messages)

    # Without calls

    async def wish_directly(self, sender: Caller, receiver: Caller, server: str = "partner") -> SentInterest:
        """The use case in a transaction, without the resolution of a card."""
        async with self.database.transaction(sender.user) as tx:
            return await send_interest(tx, sender.user, ResolvedCard(uuid7(), receiver.user, server), POLICY)

    async def withdraw_directly(self, sender: Caller, interest: UUID) -> str:
        """The use case in a transaction. Returns WITHDRAWN or the reason of the refusal."""
        try:
            async with self.database.transaction(sender.user) as tx:
                await withdraw_interest(tx, interest, sender.user)
        except DomainError as refused:
            return refused.reason
        return "WITHDRAWN"

    async def end_directly(self, member: Caller, connection_id: str) -> str:
        """The use case in a transaction. Returns ENDED or the reason of the refusal."""
        try:
            async with self.database.transaction(member.user) as tx:
                await end_connection(tx, UUID(connection_id), member.user, Reason.OTHER)
        except DomainError as refused:
            return refused.reason
        return "ENDED"

    async def rows(self, sql: str, *arguments: object) -> list[Any]:
        """Rows of the tables, read by the superuser."""
        return await self.world.superuser.fetch(sql, *arguments)

    async def statuses(self, sender: Caller) -> list[str]:
        """The true states of a member's interests, oldest first."""
        found = await self.rows(
            "SELECT interest_status FROM matching.interests WHERE sender_id = $1 ORDER BY sent_at, id", sender.user
        )
        return [row["interest_status"] for row in found]

    async def stored_endings(self, *members: Caller) -> list[tuple[str, str]]:
        """For each ended connection among these members: the id of who ended it, and the stored reason."""
        found = await self.rows(
            "SELECT ended_by_id, end_reason FROM matching.connections"
            " WHERE user_a_id = ANY ($1) AND user_b_id = ANY ($1) AND connection_status = 'ended' ORDER BY id",
            [member.user for member in members],
        )
        return [(str(row["ended_by_id"]), row["end_reason"]) for row in found]

    async def wipes(self, members: Sequence[Caller]) -> list[tuple[str, int]]:
        """For each wipe of these members: the member, and the number of interests."""
        found = await self.rows(
            "SELECT user_id, wiped_count FROM matching.interest_wipes WHERE user_id = ANY ($1) ORDER BY wiped_at, id",
            [member.user for member in members],
        )
        return [(str(row["user_id"]), row["wiped_count"]) for row in found]
