"""Domain to proto and back."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.common.v1 import types_pb2
from unora.discovery.v1 import discovery_service_pb2
from unora.discovery.v1.events_pb2 import BatchRefreshed, ServerJoined
from unora.identity.v1 import profile_service_pb2
from unora.identity.v1.directory_service_pb2 import DiscoveryProfile
from unora.matching.v1.events_pb2 import InventoryChanged

from unora_discovery.domain import (
    AgeBand,
    Batch,
    Card,
    Gender,
    Hobby,
    Inventory,
    Profile,
    Server,
    ServerType,
    Tier,
    Timer,
    Viewer,
    next_refresh_at,
)

SERVERS: Final = {
    ServerType.PARTNER: types_pb2.SERVER_TYPE_PARTNER,
    ServerType.FRIEND: types_pb2.SERVER_TYPE_FRIEND,
    ServerType.GROWTH: types_pb2.SERVER_TYPE_GROWTH,
}
SERVER_OF: Final = {number: server for server, number in SERVERS.items()}
AGE_BANDS: Final = {
    AgeBand.FROM_18: types_pb2.AGE_BAND_18_24,
    AgeBand.FROM_25: types_pb2.AGE_BAND_25_29,
    AgeBand.FROM_30: types_pb2.AGE_BAND_30_34,
    AgeBand.FROM_35: types_pb2.AGE_BAND_35_39,
    AgeBand.FROM_40: types_pb2.AGE_BAND_40_49,
    AgeBand.FROM_50: types_pb2.AGE_BAND_50_59,
    AgeBand.FROM_60: types_pb2.AGE_BAND_60_PLUS,
}
AGE_BAND_OF: Final = {number: band for band, number in AGE_BANDS.items()}
GENDER_OF: Final = {
    profile_service_pb2.GENDER_WOMAN: Gender.WOMAN,
    profile_service_pb2.GENDER_MAN: Gender.MAN,
    profile_service_pb2.GENDER_NON_BINARY: Gender.NON_BINARY,
}
TIER_OF: Final = {types_pb2.TIER_FREE: Tier.FREE, types_pb2.TIER_PLUS: Tier.PLUS, types_pb2.TIER_PRO: Tier.PRO}


def from_profile(told: DiscoveryProfile) -> Profile:
    """What identity tells of a member."""
    return Profile(
        user_id=UUID(told.user_id),
        version=told.version,
        discovery_ready=told.discovery_ready,
        gender=GENDER_OF.get(told.gender),
        age_band=AGE_BAND_OF.get(told.age_band),
        city=told.city,
        trust_level=told.trust_level,
        hobbies=tuple(Hobby(each.hobby_option_id, each.name, each.micro_description) for each in told.hobbies),
    )


def from_inventory(event: InventoryChanged) -> Inventory:
    """What matching tells of a member's slots."""
    return Inventory(
        user_id=UUID(event.user_id),
        version=event.version,
        tier=TIER_OF[event.tier],
        active_connection_count=event.active_connection_count,
        connection_limit=event.connection_limit,
    )


def to_timestamp(moment: datetime | None) -> Timestamp | None:
    """A moment, or the absence of one."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def to_server(server: Server) -> discovery_service_pb2.Server:
    """A server as the caller sees it."""
    return discovery_service_pb2.Server(
        server_type=SERVERS[server.server_type],
        name=server.name,
        description=server.description,
        joined=server.joined,
    )


def to_screen(server: ServerType, viewer: Viewer, batch: Batch | None, now: datetime) -> discovery_service_pb2.Screen:
    """DI-06: the locks of one server, and its batch unless the capacity lock hides it."""
    shown = None if viewer.at_capacity else batch
    return discovery_service_pb2.Screen(
        server_type=SERVERS[server],
        capacity_locked=viewer.at_capacity,
        refresh_available_at=to_timestamp(next_refresh_at(viewer, now)),
        batch=to_batch(shown) if shown else None,
    )


def to_batch(batch: Batch) -> discovery_service_pb2.Batch:
    """Five cards."""
    return discovery_service_pb2.Batch(
        batch_id=str(batch.id), created_at=to_timestamp(batch.created_at), cards=[to_card(card) for card in batch.cards]
    )


def to_card(card: Card) -> discovery_service_pb2.Card:
    """DI-08."""
    return discovery_service_pb2.Card(
        card_id=str(card.id),
        position=card.position,
        hobbies=[
            discovery_service_pb2.CardHobby(
                hobby_option_id=hobby.hobby_option_id,
                name=hobby.name,
                micro_description=hobby.micro_description,
                shared=hobby.shared,
            )
            for hobby in card.hobbies
        ],
        age_band=AGE_BANDS[card.age_band],
        city=card.city,
        trust_level=card.trust_level,
    )


def server_joined(user_id: UUID, version: int, server: ServerType, now: datetime) -> ServerJoined:
    """DI-01."""
    return ServerJoined(
        user_id=str(user_id), version=version, server_type=SERVERS[server], occurred_at=to_timestamp(now)
    )


def batch_refreshed(
    user_id: UUID, version: int, server: ServerType, batch: Batch, before: Timer, after: Timer
) -> BatchRefreshed:
    """DI-03, DI-04."""
    return BatchRefreshed(
        user_id=str(user_id),
        version=version,
        server_type=SERVERS[server],
        batch_id=str(batch.id),
        timer_spent=after != before,
        last_global_refresh_at=to_timestamp(after.last_global_refresh_at),
        refresh_available_at=to_timestamp(after.runs_until(batch.created_at)),
        occurred_at=to_timestamp(batch.created_at),
    )
