"""DI-02, DI-08: a batch has five cards, and a card shows hobbies, age band, city and trust level; nothing else."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from unora_discovery.domain.errors import PoolTooSmall
from unora_discovery.domain.pool import AgeBand, Candidate

BATCH_SIZE: Final = 5
"""No policy: whatever the tier, the seed says five."""


@dataclass(frozen=True, slots=True)
class CardHobby:
    """A hobby on a card; `shared` if the viewer had it too when the card was made."""

    hobby_option_id: str
    name: str
    micro_description: str
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a viewer sees of someone, as it was when the card was made (DI-03). It has no place for who it is."""

    id: UUID
    position: int
    age_band: AgeBand
    city: str
    trust_level: int
    hobbies: tuple[CardHobby, ...]


@dataclass(frozen=True, slots=True)
class Dealt:
    """A new card, with who is behind it: only for the store."""

    shown_user_id: UUID
    card: Card


@dataclass(frozen=True, slots=True)
class Batch:
    """The active batch of a member in one server."""

    id: UUID
    created_at: datetime
    cards: tuple[Card, ...]


def deal(ranked: Sequence[Candidate], viewer_hobbies: Collection[str], new_id: Callable[[], UUID]) -> tuple[Dealt, ...]:
    """DI-02: five cards in the order of the ranking (DI-07), or none. `new_id` must tell nothing of who is shown."""
    if len(ranked) < BATCH_SIZE:
        raise PoolTooSmall
    return tuple(
        Dealt(candidate.user_id, _card(candidate, position, viewer_hobbies, new_id()))
        for position, candidate in enumerate(ranked[:BATCH_SIZE], start=1)
    )


def _card(candidate: Candidate, position: int, viewer_hobbies: Collection[str], card_id: UUID) -> Card:
    return Card(
        id=card_id,
        position=position,
        age_band=candidate.age_band,
        city=candidate.city,
        trust_level=candidate.trust_level,
        hobbies=tuple(
            CardHobby(
                hobby.hobby_option_id, hobby.name, hobby.micro_description, hobby.hobby_option_id in viewer_hobbies
            )
            for hobby in candidate.hobbies
        ),
    )
