"""Screens, batches and cards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from unora.discovery.v1 import discovery_service_pb2
from unora_common.messages import (
    AGE_BANDS,
    SERVERS,
    to_timestamp,
)

from unora_discovery.domain.cards import Batch, Card, CardContent, CardHobby, ListedCard, PartnerCard
from unora_discovery.domain.screens import Screen


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
