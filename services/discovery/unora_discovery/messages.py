"""Between the domain and the contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from unora.billing.v1.events_pb2 import TierChanged
from unora.billing.v1.projection_service_pb2 import MemberTier
from unora.common.v1.types_pb2 import ServerType as ServerTypeNumber
from unora.discovery.v1 import discovery_service_pb2, events_pb2
from unora.discovery.v1.projection_service_pb2 import MemberRefreshTimer
from unora.identity.v1 import profile_service_pb2
from unora.identity.v1.directory_service_pb2 import DiscoveryProfile
from unora.matching.v1 import events_pb2 as matching_events_pb2
from unora.matching.v1.events_pb2 import (
    ConnectionEnded,
    ConnectionFormed,
    InterestClosed,
    InterestSent,
    InventoryChanged,
)
from unora.matching.v1.projection_service_pb2 import ConnectionState, InterestState, MemberInventory
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora.safety.v1.projection_service_pb2 import BlockState, MemberRestriction
from unora_common.database import Row
from unora_common.errors import InvalidArgument
from unora_common.messages import (
    AGE_BAND_NAMES,
    AGE_BANDS,
    SERVER_NAMES,
    SERVERS,
    TIER_NAMES,
    by_name,
    by_number,
    event_encoder,
    from_timestamp,
    to_timestamp,
)

from unora_discovery.domain.cards import Batch, Card, CardContent, CardHobby, ListedCard, PartnerCard
from unora_discovery.domain.filters import OLDEST, YOUNGEST, FilterChanges, Filters
from unora_discovery.domain.pairs import (
    CardInterest,
    Connection,
    Exclusion,
    ExclusionReason,
    Interest,
    InterestClosure,
    MemberBlock,
    WaitingInterest,
    card_interest,
    connection_exclusions,
    interest_closed,
    interest_sent,
)
from unora_discovery.domain.pool import AgeBand, Gender, Hobby, Inventory, Profile, Restriction, Tier, TierNotice
from unora_discovery.domain.screens import Screen
from unora_discovery.domain.servers import Server, ServerType

GENDER_NAMES: Final = by_number(profile_service_pb2.Gender)
GENDERS: Final = by_name(profile_service_pb2.Gender)
CLOSURE_NAMES: Final = by_number(matching_events_pb2.InterestClosure)

to_message = event_encoder(events_pb2)
"""Turns a domain event into its message."""


def from_server_type(number: ServerTypeNumber.ValueType) -> ServerType:
    """A server that a request names."""
    return ServerType(SERVER_NAMES[number])


def from_profile(profile: DiscoveryProfile) -> Profile:
    """A member's profile, from identity."""
    return Profile(
        user_id=UUID(profile.user_id),
        version=profile.version,
        discovery_ready=profile.discovery_ready,
        gender=Gender(GENDER_NAMES[profile.gender]) if profile.gender else None,
        age_band=AgeBand(AGE_BAND_NAMES[profile.age_band]) if profile.age_band else None,
        city=profile.city,
        place_id=profile.place_id,
        trust_level=profile.trust_level,
        hobbies=tuple(Hobby(each.hobby_option_id, each.name, each.micro_description) for each in profile.hobbies),
        texts_version=profile.texts_version if profile.HasField("texts_version") else None,
        missing=tuple(profile.missing),
        paused=profile.paused,
    )


def from_tier(tier: MemberTier | TierChanged) -> TierNotice:
    """A member's tier, from billing."""
    return TierNotice(user_id=UUID(tier.user_id), version=tier.version, tier=Tier(TIER_NAMES[tier.tier]))


def from_inventory(event: InventoryChanged | MemberInventory) -> Inventory:
    """A member's slots, from matching."""
    return Inventory(
        user_id=UUID(event.user_id),
        version=event.version,
        active_connection_count=event.active_connection_count,
        connection_limit=event.connection_limit,
    )


def from_restriction(event: RestrictionChanged | MemberRestriction) -> Restriction:
    """A member's restrictions, from safety."""
    return Restriction(
        user_id=UUID(event.user_id),
        version=event.version,
        reduced_visibility=event.reduced_visibility,
        restricted=event.restricted,
        suspended=event.suspended,
    )


def from_block(event: MemberBlocked | MemberUnblocked, *, in_force: bool) -> MemberBlock:
    """A block or its lifting, from safety."""
    return MemberBlock(
        blocker_id=UUID(event.blocker_id),
        blocked_id=UUID(event.blocked_id),
        in_force=in_force,
        changed_at=from_timestamp(event.occurred_at),
    )


def from_interest(event: InterestSent | InterestClosed | InterestState) -> Interest:
    """An interest, from matching."""
    return Interest(
        interest_id=UUID(event.interest_id),
        version=event.version,
        sender_id=UUID(event.sender_id),
        receiver_id=UUID(event.receiver_id),
        server_type=from_server_type(event.server_type),
        card_id=UUID(event.card_id) if event.card_id else None,
    )


def from_closure(event: InterestClosed | InterestState) -> InterestClosure:
    """How an interest was closed."""
    return InterestClosure(CLOSURE_NAMES[event.closure])


def from_connection(event: ConnectionFormed | ConnectionEnded | ConnectionState) -> Connection:
    """A connection, from matching."""
    return Connection(
        connection_id=UUID(event.connection_id),
        version=event.version,
        user_ids=(UUID(event.user_a_id), UUID(event.user_b_id)),
    )


def from_block_state(state: BlockState) -> MemberBlock:
    """What safety told last of one member's blocks of another."""
    return MemberBlock(
        blocker_id=UUID(state.blocker_id),
        blocked_id=UUID(state.blocked_id),
        in_force=state.in_force,
        changed_at=from_timestamp(state.changed_at),
    )


def from_card_interest(state: InterestState) -> CardInterest | None:
    """What an interest says on its card. None if a matching of an earlier version does not tell the card."""
    if not state.closure:
        return card_interest(from_interest(state), None, from_timestamp(state.expires_at))
    return card_interest(from_interest(state), from_closure(state), from_timestamp(state.closed_at))


def from_interest_state(state: InterestState) -> tuple[Exclusion, WaitingInterest]:
    """What matching told of an interest, as its events are stored: with the end that only the first one says."""
    interest = from_interest(state)
    ends_at = from_timestamp(state.expires_at)
    if not state.closure:
        return interest_sent(interest, ends_at)
    exclusion, waiting = interest_closed(interest, from_closure(state))
    lifted = exclusion.reason is ExclusionReason.LIFTED
    apart_until = min(ends_at, from_timestamp(state.closed_at)) if lifted else ends_at
    return replace(exclusion, apart_until=apart_until), replace(waiting, waits_until=ends_at)


def from_partners(state: ConnectionState) -> tuple[Connection, bool]:
    """A connection, and whether it is active."""
    return from_connection(state), not state.HasField("ended_at")


def from_connection_state(state: ConnectionState) -> tuple[Exclusion, Exclusion]:
    """Whom a connection keeps apart."""
    connection, active = from_partners(state)
    reason = ExclusionReason.CONNECTED if active else ExclusionReason.ENDED
    return connection_exclusions(connection, reason)


def to_member_refresh_timer(row: Row) -> MemberRefreshTimer:
    """A member's timer, for a projection."""
    return MemberRefreshTimer(
        user_id=str(row["user_id"]),
        version=row["version"],
        last_global_refresh_at=to_timestamp(row["last_global_refresh_at"]),
        refresh_available_at=to_timestamp(row["refresh_available_at"]),
    )


def to_filters(filters: Filters) -> discovery_service_pb2.Filters:
    """Filters as their owner sees them."""
    return discovery_service_pb2.Filters(
        genders=[GENDERS[gender] for gender in filters.genders],
        min_age=filters.min_age,
        max_age=filters.max_age,
        same_city_only=filters.same_city_only,
    )


def from_filter_changes(filters: discovery_service_pb2.Filters, mask: FieldMask) -> FilterChanges:
    """The fields that the mask names. A named field that is empty changes to the default, which lets everyone pass.

    Raises InvalidArgument.
    """
    values: dict[str, Any] = {
        "genders": tuple(Gender(GENDER_NAMES[number]) for number in filters.genders),
        "min_age": filters.min_age or YOUNGEST,
        "max_age": filters.max_age or OLDEST,
        "same_city_only": filters.same_city_only,
    }
    named = set(values) if list(mask.paths) == ["*"] else set(mask.paths)
    if not named or not named <= set(values):
        raise InvalidArgument({"update_mask": "must name at least one field of the filters, or be *"})
    return FilterChanges(**{name: values[name] for name in named})


def to_server(server: Server) -> discovery_service_pb2.Server:
    """A server as the caller sees it."""
    return discovery_service_pb2.Server(
        server_type=SERVERS[server.server_type],
        name=server.name,
        description=server.description,
        joined=server.joined,
    )


def to_screen(screen: Screen) -> discovery_service_pb2.Screen:
    """DI-06: the locks of one server, and its batch unless the capacity lock hides it."""
    batch = screen.visible_batch
    return discovery_service_pb2.Screen(
        server_type=SERVERS[screen.server_type],
        capacity_locked=screen.viewer.at_capacity,
        refresh_available_at=to_timestamp(screen.refresh_available_at),
        batch=to_batch(batch) if batch else None,
    )


def to_batch(batch: Batch) -> discovery_service_pb2.Batch:
    """A batch with its five cards."""
    return discovery_service_pb2.Batch(
        batch_id=str(batch.id), created_at=to_timestamp(batch.created_at), cards=[to_card(card) for card in batch.cards]
    )


def hide_texts(batch: discovery_service_pb2.Batch, shown_now: Mapping[UUID, Collection[str]]) -> None:
    """PR-10: removes from a batch that was answered before the texts that were hidden since: see `without_hidden`."""
    for card in batch.cards:
        texts = shown_now.get(UUID(card.card_id))
        for hobby in card.hobbies:
            if texts is not None and hobby.micro_description not in texts:
                hobby.micro_description = ""


def to_card(card: Card) -> discovery_service_pb2.Card:
    """DI-08: what a card may show, and nothing else."""
    return discovery_service_pb2.Card(
        card_id=str(card.id),
        position=card.position,
        hobbies=map(to_card_hobby, card.hobbies),
        age_band=AGE_BANDS[card.age_band],
        city=card.city,
        trust_level=card.trust_level,
        interest_sent=card.interest_sent,
    )


def to_card_hobby(hobby: CardHobby) -> discovery_service_pb2.CardHobby:
    """A hobby on a card."""
    return discovery_service_pb2.CardHobby(
        hobby_option_id=hobby.hobby_option_id,
        name=hobby.name,
        micro_description=hobby.micro_description,
        shared=hobby.shared,
    )


def to_content(content: CardContent) -> discovery_service_pb2.CardContent:
    """DI-08: what a card may show, wherever it is shown."""
    return discovery_service_pb2.CardContent(
        hobbies=map(to_card_hobby, content.hobbies),
        age_band=AGE_BANDS[content.age_band],
        city=content.city,
        trust_level=content.trust_level,
    )


def to_partner_card(card: PartnerCard) -> discovery_service_pb2.PartnerCard:
    """DI-15: what a member sees of a partner."""
    return discovery_service_pb2.PartnerCard(connection_id=str(card.connection_id), card=to_content(card.content))


def to_dealt_card(card: ListedCard) -> discovery_service_pb2.DealtCard:
    """DI-16: what was shown, under the id by which it was asked for."""
    content = to_content(card.content)
    if card.card_id:
        return discovery_service_pb2.DealtCard(card_id=str(card.card_id), content=content)
    return discovery_service_pb2.DealtCard(connection_id=str(card.connection_id), content=content)
