"""DI-02, DI-08: a batch has five cards, and a card shows hobbies, age band, city and trust level; nothing else."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from unora_discovery.domain.chance import Chance
from unora_discovery.domain.errors import PoolTooSmall
from unora_discovery.domain.pool import AgeBand, Candidate, Found

BATCH_SIZE: Final = 5
"""No policy: whatever the tier, the seed says five."""
DRAWN_AT_MOST: Final = 2
"""So many of them may be drawn rather than ranked (DI-13)."""


@dataclass(frozen=True, slots=True)
class Odds:
    """The numbers of what chance decides."""

    admirer_probability: float
    """With which each place that may be drawn is (DI-13)."""
    reduced_visibility: float
    """With which someone of reduced visibility takes part in a search (DI-10)."""


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


def deal(
    found: Found, viewer_hobbies: Collection[str], odds: Odds, chance: Chance, new_id: Callable[[], UUID]
) -> tuple[Dealt, ...]:
    """DI-02: five cards, or none. `new_id` must tell nothing of who is shown.

    They stand in the order of what they share with the viewer, by chance among equals (DI-07), however each came to be
    among them: a card out of that order would give away that it is there for another reason (DI-13).
    """
    five = [(candidate.shares(viewer_hobbies), chance.random(), candidate) for candidate in draw(found, odds, chance)]
    five.sort(key=lambda each: (-each[0], each[1]))
    return tuple(
        Dealt(candidate.user_id, _card(candidate, position, viewer_hobbies, new_id()))
        for position, (_, _, candidate) in enumerate(five, start=1)
    )


def draw(found: Found, odds: Odds, chance: Chance) -> list[Candidate]:
    """DI-13: who is on the five cards. Raises PoolTooSmall.

    The best of the ranking, but for up to two places that are drawn: for whoever waits for the viewer, and if nobody
    does, for anyone at all. Whoever waits may share nothing with the viewer, and so may whoever is drawn in their
    stead: a card that shares less than the ranking would bring is there when nobody waits, too (MA-10).
    """
    if len(found.ranked) < BATCH_SIZE:
        raise PoolTooSmall
    drawn = sum(chance.random() < odds.admirer_probability for _ in range(DRAWN_AT_MOST))
    five = list(found.ranked[: BATCH_SIZE - drawn])
    for _ in range(drawn):
        there = {candidate.user_id for candidate in five}
        waiting = [candidate for candidate in found.waiting if candidate.user_id not in there]
        five.append(
            waiting[0] if waiting else chance.choice([each for each in found.anyone if each.user_id not in there])
        )
    return five


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
