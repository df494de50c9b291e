"""Members in the pool of Discovery, the calls that they make, and events about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.events_pb2 import TierChanged
from unora.common.v1.types_pb2 import (
    SERVER_TYPE_FRIEND,
    SERVER_TYPE_GROWTH,
    SERVER_TYPE_PARTNER,
    TIER_FREE,
    ServerType,
    Tier,
)
from unora.discovery.v1.card_service_pb2 import ResolveCardRequest, ResolveCardResponse
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.discovery.v1.discovery_service_pb2 import (
    Batch,
    Card,
    CardContent,
    Filters,
    GetFiltersRequest,
    GetScreenRequest,
    JoinServerRequest,
    JoinServerResponse,
    LeaveServerRequest,
    LeaveServerResponse,
    RefreshBatchRequest,
    Screen,
    UpdateFiltersRequest,
)
from unora.discovery.v1.discovery_service_pb2_grpc import DiscoveryServiceStub
from unora.matching.v1.events_pb2 import InventoryChanged
from unora.safety.v1.events_pb2 import MemberBlocked, RestrictionChanged
from unora_common.ids import uuid7
from unora_testing.deadlines import eventually
from unora_testing.places import LISBON, PORTO
from unora_testing.world import Caller, World

from tests.support import request_id

Server: TypeAlias = ServerType.ValueType
PARTNER: Final = SERVER_TYPE_PARTNER
FRIEND: Final = SERVER_TYPE_FRIEND
GROWTH: Final = SERVER_TYPE_GROWTH
ALL: Final = (PARTNER, FRIEND, GROWTH)
NAMES: Final = {PARTNER: "partner", FRIEND: "friend", GROWTH: "growth"}
HOBBIES: Final = ("chess", "hiking", "singing")

MEMBER: Final = """
    INSERT INTO discovery.candidates (
        user_id, profile_version, discovery_ready, gender, age_band, city, trust_level, hobby_option_ids, hobbies,
        place_id)
    VALUES ($1, 1, true, 'woman', '30_34', $2, 2, $3, $4, $5)"""
PLACES: Final = {"Lisbon": LISBON, "Porto": PORTO}
JOINS: Final = """
    INSERT INTO discovery.server_memberships (user_id, server_type, joined_at)
    SELECT $1, unnest($2::text[]), clock.now()"""
TIMER: Final = "INSERT INTO discovery.refresh_timers (user_id) VALUES ($1)"


class Pool:
    """Discovery in this world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.discovery = world.stub(DiscoveryServiceStub, "discovery")
        self.cards = world.stub(CardServiceStub, "discovery", caller="matching")

    async def empty(self) -> None:
        """Removes all members from all servers."""
        await self.world.superuser.execute("DELETE FROM discovery.server_memberships")

    async def member(self, *hobbies: str, servers: Sequence[Server] = ALL, city: str = "Lisbon") -> Caller:
        """A member of the pool, without an account: discovery-ready, with a free slot.

        A city that is not in PLACES is no place, like one that an earlier version stored.
        """
        caller, chosen = self.world.caller(), hobbies or HOBBIES
        fields = [{"hobby_option_id": each, "name": each.title(), "micro_description": f"my {each}"} for each in chosen]
        place = PLACES.get(city, "")
        await self.world.superuser.execute(MEMBER, caller.user, city, list(chosen), json.dumps(fields), place)
        await self.world.superuser.execute(JOINS, caller.user, [NAMES[server] for server in servers])
        await self.world.superuser.execute(TIMER, caller.user)
        return caller

    async def members(self, count: int, *hobbies: str, servers: Sequence[Server] = ALL) -> list[Caller]:
        return [await self.member(*hobbies, servers=servers) for _ in range(count)]

    async def join(self, member: Caller, server: Server = PARTNER, request: str = "") -> JoinServerResponse:
        message = JoinServerRequest(request_id=request or request_id(), server_type=server)
        return await self.discovery.JoinServer(message, metadata=member.metadata)

    async def refresh(self, member: Caller, server: Server = PARTNER, request: str = "") -> Screen:
        message = RefreshBatchRequest(request_id=request or request_id(), server_type=server)
        return (await self.discovery.RefreshBatch(message, metadata=member.metadata)).screen

    async def screen(self, member: Caller, server: Server = PARTNER) -> Screen:
        return (await self.discovery.GetScreen(GetScreenRequest(server_type=server), metadata=member.metadata)).screen

    async def resolve(self, viewer: Caller, card_id: str, *, old: bool = False) -> ResolveCardResponse:
        message = ResolveCardRequest(card_id=card_id, viewer_id=viewer.id, allow_replaced=old)
        return await self.cards.ResolveCard(message)

    async def shown(self, viewer: Caller, batch: Batch) -> list[str]:
        """The ids of the members on the cards of an active batch, by position."""
        return [(await self.resolve(viewer, card.card_id)).user_id for card in batch.cards]

    async def leave(self, member: Caller, server: Server = PARTNER, request: str = "") -> LeaveServerResponse:
        message = LeaveServerRequest(request_id=request or request_id(), server_type=server)
        return await self.discovery.LeaveServer(message, metadata=member.metadata)

    async def get_filters(self, member: Caller, server: Server = PARTNER) -> Filters:
        message = GetFiltersRequest(server_type=server)
        return (await self.discovery.GetFilters(message, metadata=member.metadata)).filters

    async def update_filters(
        self, member: Caller, server: Server = PARTNER, *mask: str, request: str = "", **fields: Any
    ) -> Filters:
        """Changes a member's filters: these fields, unless a mask names others."""
        message = UpdateFiltersRequest(
            request_id=request or request_id(),
            server_type=server,
            filters=Filters(**fields),
            update_mask=FieldMask(paths=mask or fields),
        )
        return (await self.discovery.UpdateFilters(message, metadata=member.metadata)).filters

    async def tier(self, member: Caller, version: int, tier: Tier.ValueType) -> None:
        """Publishes a member's tier, as billing does."""
        event = TierChanged(user_id=member.id, version=version, tier=tier, occurred_at=await self.stamp())
        await self.world.publish(event)

    async def restrict(self, member: Caller, version: int, **fields: bool) -> None:
        """Publishes a member's restrictions, as safety does."""
        event = RestrictionChanged(user_id=member.id, version=version, occurred_at=await self.stamp(), **fields)
        await self.world.publish(event)

    async def block(self, blocker: Caller, blocked: Caller) -> MemberBlocked:
        """Publishes a block, as safety does."""
        event = MemberBlocked(
            block_id=new_id(), version=1, blocker_id=blocker.id, blocked_id=blocked.id, occurred_at=await self.stamp()
        )
        await self.world.publish(event)
        return event

    async def inventory(self, member: Caller, version: int, *, count: int = 0, limit: int = 1) -> None:
        """Publishes a member's slots, as matching does."""
        event = InventoryChanged(
            user_id=member.id,
            version=version,
            tier=TIER_FREE,
            active_connection_count=count,
            connection_limit=limit,
            occurred_at=await self.stamp(),
        )
        await self.world.publish(event)

    async def stamp(self) -> Timestamp:
        """The rule clock's time, for an event."""
        stamp = Timestamp()
        stamp.FromDatetime(await self.world.now())
        return stamp

    async def rows(self, table: str, user_id: UUID) -> list[dict[str, Any]]:
        """A member's rows, read without the service."""
        found = await self.world.superuser.fetch(f"SELECT * FROM discovery.{table} WHERE user_id = $1", user_id)
        return [dict(row) for row in found]

    async def stored_rows(self, member: Caller) -> dict[str, list[dict[str, Any]]]:
        """All rows that a refused call must not change."""
        tables = ("server_memberships", "refresh_timers", "discovery_batches", "candidates", "filters")
        found = {table: await self.rows(table, member.user) for table in tables}
        found["discovery_cards"] = [
            dict(row)
            for row in await self.world.superuser.fetch(
                """SELECT k.* FROM discovery.discovery_cards k JOIN discovery.discovery_batches b ON b.id = k.batch_id
                WHERE b.user_id = $1 ORDER BY k.id""",
                member.user,
            )
        ]
        return found

    async def wait_for_blocked_calls(self, least: int) -> None:
        """Returns when at least so many calls of the service wait for a lock."""
        enough = """SELECT count(*) >= $1 FROM pg_stat_activity
            WHERE application_name = 'unora_discovery' AND wait_event_type = 'Lock'
            AND datname = current_database()"""
        await eventually(lambda: self.world.superuser.fetchval(enough, least), f"{least} calls wait for a lock")

    async def lock_timer(self, member: Caller) -> tuple[asyncpg.Connection[asyncpg.Record], Any]:
        """Locks a member's timer row in another transaction, which the caller must end."""
        connection = await asyncpg.connect(self.world.testbed.dsn(self.world.database))
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM discovery.refresh_timers WHERE user_id = $1 FOR UPDATE", member.user)
        return connection, transaction


def content(card: Card) -> CardContent:
    """What a card shows besides its id, its place and the interest."""
    return CardContent(hobbies=card.hobbies, age_band=card.age_band, city=card.city, trust_level=card.trust_level)


def new_id() -> str:
    """A new id."""
    return str(uuid7())


def later(stamp: Timestamp, after: timedelta) -> Timestamp:
    """The time after a duration."""
    moment = Timestamp()
    moment.FromDatetime(stamp.ToDatetime(UTC) + after)
    return moment
