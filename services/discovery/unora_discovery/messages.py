"""Domain to proto and back."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from unora.discovery.v1 import discovery_service_pb2
from unora.discovery.v1.events_pb2 import BatchRefreshed, ServerJoined
from unora.identity.v1 import profile_service_pb2
from unora.identity.v1.directory_service_pb2 import DiscoveryProfile
from unora.matching.v1.events_pb2 import InventoryChanged
from unora_common.messages import AGE_BAND_NAMES, AGE_BANDS, SERVERS, TIER_NAMES, by_number, to_timestamp

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

GENDERS: Final = by_number(profile_service_pb2.Gender)


def from_profile(told: DiscoveryProfile) -> Profile:
    """What identity tells of a member."""
    return Profile(
        user_id=UUID(told.user_id),
        version=told.version,
        discovery_ready=told.discovery_ready,
        gender=Gender(GENDERS[told.gender]) if told.gender else None,
        age_band=AgeBand(AGE_BAND_NAMES[told.age_band]) if told.age_band else None,
        city=told.city,
        trust_level=told.trust_level,
        hobbies=tuple(Hobby(each.hobby_option_id, each.name, each.micro_description) for each in told.hobbies),
    )


def from_inventory(event: InventoryChanged) -> Inventory:
    """What matching tells of a member's slots."""
    return Inventory(
        user_id=UUID(event.user_id),
        version=event.version,
        tier=Tier(TIER_NAMES[event.tier]),
        active_connection_count=event.active_connection_count,
        connection_limit=event.connection_limit,
    )


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
