"""Domain to proto and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from unora.discovery.v1 import discovery_service_pb2
from unora.discovery.v1.events_pb2 import BatchRefreshed, RefreshTimerChanged, ServerJoined, ServerLeft
from unora.identity.v1 import profile_service_pb2
from unora.identity.v1.directory_service_pb2 import DiscoveryProfile
from unora.matching.v1.events_pb2 import InventoryChanged
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora_common.errors import InvalidArgument
from unora_common.messages import AGE_BAND_NAMES, AGE_BANDS, SERVERS, by_name, by_number, from_timestamp, to_timestamp

from unora_discovery.domain import (
    OLDEST,
    YOUNGEST,
    AgeBand,
    Batch,
    Block,
    Card,
    Filters,
    Gender,
    Hobby,
    Inventory,
    Profile,
    Server,
    ServerType,
    Standing,
    Timer,
    Viewer,
    check,
    next_refresh_at,
)

GENDERS: Final = by_number(profile_service_pb2.Gender)
GENDER_NUMBERS: Final = by_name(profile_service_pb2.Gender)


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
        active_connection_count=event.active_connection_count,
        connection_limit=event.connection_limit,
    )


def from_standing(event: RestrictionChanged) -> Standing:
    """What safety tells of a member."""
    return Standing(
        user_id=UUID(event.user_id),
        version=event.version,
        reduced_visibility=event.reduced_visibility,
        restricted=event.restricted,
        suspended=event.suspended,
    )


def from_block(event: MemberBlocked | MemberUnblocked, *, in_force: bool) -> Block:
    """What safety tells of a pair."""
    return Block(
        blocker_id=UUID(event.blocker_id),
        blocked_id=UUID(event.blocked_id),
        in_force=in_force,
        changed_at=from_timestamp(event.occurred_at),
    )


def to_filters(filters: Filters) -> discovery_service_pb2.Filters:
    """Filters as their owner sees them."""
    return discovery_service_pb2.Filters(
        genders=[GENDER_NUMBERS[gender] for gender in filters.genders],
        min_age=filters.min_age,
        max_age=filters.max_age,
        same_city_only=filters.same_city_only,
    )


def changed_filters(before: Filters, told: discovery_service_pb2.Filters, mask: FieldMask) -> Filters:
    """`before` with the fields that the mask names taken from `told`; one that is empty there lets everyone pass.

    Raises InvalidArgument.
    """
    values: dict[str, Any] = {
        "genders": tuple(Gender(GENDERS[number]) for number in told.genders),
        "min_age": told.min_age or YOUNGEST,
        "max_age": told.max_age or OLDEST,
        "same_city_only": told.same_city_only,
    }
    fields = set(values) if list(mask.paths) == ["*"] else set(mask.paths)
    if not fields or not fields <= set(values):
        raise InvalidArgument({"update_mask": "names at least one field of the filters, or is *"})
    return check(replace(before, **{field: values[field] for field in fields}))


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
    """DI-08: what a card may show, and nothing else."""
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
    """DI-01: a member is in a server."""
    return ServerJoined(
        user_id=str(user_id), version=version, server_type=SERVERS[server], occurred_at=to_timestamp(now)
    )


def server_left(user_id: UUID, version: int, server: ServerType, now: datetime) -> ServerLeft:
    """DI-01: a member is in a server no more."""
    return ServerLeft(user_id=str(user_id), version=version, server_type=SERVERS[server], occurred_at=to_timestamp(now))


def refresh_timer_changed(user_id: UUID, version: int, timer: Timer, now: datetime) -> RefreshTimerChanged:
    """DI-14: the timer, as the new tier sets it."""
    return RefreshTimerChanged(
        user_id=str(user_id),
        version=version,
        last_global_refresh_at=to_timestamp(timer.last_global_refresh_at),
        refresh_available_at=to_timestamp(timer.refresh_available_at),
        occurred_at=to_timestamp(now),
    )


def batch_refreshed(
    user_id: UUID, version: int, server: ServerType, batch: Batch, before: Timer, after: Timer
) -> BatchRefreshed:
    """DI-03, DI-04: a new batch, and the timer after it."""
    return BatchRefreshed(
        user_id=str(user_id),
        version=version,
        server_type=SERVERS[server],
        batch_id=str(batch.id),
        timer_spent=after != before,
        last_global_refresh_at=to_timestamp(after.last_global_refresh_at),
        refresh_available_at=to_timestamp(after.refresh_available_at),
        occurred_at=to_timestamp(batch.created_at),
    )
