"""DI-02, DI-08: a batch has five cards. A card shows hobbies, age band, city and trust level, and nothing else."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from unora_discovery.domain.errors import PoolTooSmall
from unora_discovery.domain.filters import Filters
from unora_discovery.domain.policy import Odds
from unora_discovery.domain.pool import AgeBand, Candidate
from unora_discovery.domain.randomness import RandomSource
from unora_discovery.domain.search import SearchResult

BATCH_SIZE: Final = 5
"""Not a policy: the seed fixes five, whatever the tier."""
DRAWN_AT_MOST: Final = 2
"""How many of the five may be drawn at random instead of ranked (DI-13)."""


@dataclass(frozen=True, slots=True)
class CardHobby:
    """A hobby on a card. `shared` says whether the viewer had it too when the card was made."""

    hobby_option_id: str
    name: str
    micro_description: str
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a viewer sees of a member, as it was when the card was made (DI-03), without texts that were hidden since
    (PR-10). It has no field for the member's id.
    """

    id: UUID
    position: int
    age_band: AgeBand
    city: str
    """Empty for a member whose city is no place (PR-11)."""
    trust_level: int
    hobbies: tuple[CardHobby, ...]
    interest_sent: bool = False
    """DI-16: whether the viewer's interest on this card looks pending to them, or matched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContent:
    """What a card shows, wherever it is shown (DI-08)."""

    age_band: AgeBand
    city: str
    trust_level: int
    hobbies: tuple[CardHobby, ...]


@dataclass(frozen=True, slots=True)
class PartnerCard:
    """DI-15: what a member sees of a partner."""

    connection_id: UUID
    content: CardContent


@dataclass(frozen=True, slots=True)
class ListedCard:
    """DI-16: what was shown when a card was dealt, or when a connection formed; one of the two ids is None."""

    card_id: UUID | None
    connection_id: UUID | None
    content: CardContent


@dataclass(frozen=True, slots=True)
class DealtCard:
    """A new card, the id of the member on it, the version of the profile that it shows, and the id of the place whose
    name it shows. Only the store gets it.
    """

    shown_user_id: UUID
    profile_version: int
    place_id: str
    card: Card


@dataclass(frozen=True, slots=True)
class Batch:
    """The active batch of a member in one server."""

    id: UUID
    created_at: datetime
    cards: tuple[Card, ...]


def without_hidden(hobbies: Sequence[CardHobby], shown_now: Collection[str]) -> tuple[CardHobby, ...]:
    """PR-10: the hobbies of a card whose member's texts were judged anew after it was made: only texts that the member
    still shows, since the others were not judged.
    """
    return tuple(
        hobby if hobby.micro_description in shown_now else replace(hobby, micro_description="") for hobby in hobbies
    )


def require_five(found: SearchResult, filters: Filters) -> None:
    """DI-02: raises PoolTooSmall, which names the viewer's own filters that are set, if there are fewer than five."""
    if len(found.ranked) < BATCH_SIZE:
        raise PoolTooSmall(filters.non_default_fields)


def deal(
    found: SearchResult,
    viewer_hobbies: Collection[str],
    odds: Odds,
    random_source: RandomSource,
    new_id: Callable[[], UUID],
) -> tuple[DealtCard, ...]:
    """DI-02: five cards, of what `require_five` has let pass. `new_id` must reveal nothing of the member who is shown.

    The order is by the number of shared hobbies, and random among equals (DI-07), whether a card was ranked or drawn:
    a card out of that order would reveal that it is there for another reason (DI-13).
    """
    five = [
        (candidate.shares(viewer_hobbies), random_source.random(), candidate)
        for candidate in draw(found, odds, random_source)
    ]
    five.sort(key=lambda each: (-each[0], each[1]))
    return tuple(
        DealtCard(
            candidate.user_id,
            candidate.profile_version,
            candidate.place_id,
            _card(candidate, position, viewer_hobbies, new_id()),
        )
        for position, (_, _, candidate) in enumerate(five, start=1)
    )


def draw(found: SearchResult, odds: Odds, random_source: RandomSource) -> list[Candidate]:
    """DI-13: the five members of a batch, of what `require_five` has let pass.

    They are the best of the ranking, except for up to two places that are drawn. A drawn place goes to a member whose
    interest waits for the viewer; if there is none, to any member who may be shown. Both may share nothing with the
    viewer. So a card that shares less than the ranking would offer appears also when no interest waits (MA-10).
    """
    drawn = sum(random_source.random() < odds.admirer_probability for _ in range(DRAWN_AT_MOST))
    five = list(found.ranked[: BATCH_SIZE - drawn])
    for _ in range(drawn):
        chosen = {candidate.user_id for candidate in five}
        waiting = [candidate for candidate in found.waiting if candidate.user_id not in chosen]
        five.append(
            waiting[0]
            if waiting
            else random_source.choice([each for each in found.anyone if each.user_id not in chosen])
        )
    return five


def _card(candidate: Candidate, position: int, viewer_hobbies: Collection[str], card_id: UUID) -> Card:
    return Card(
        id=card_id,
        position=position,
        age_band=candidate.age_band,
        city=candidate.shown_city,
        trust_level=candidate.trust_level,
        hobbies=tuple(
            CardHobby(
                hobby.hobby_option_id, hobby.name, hobby.micro_description, hobby.hobby_option_id in viewer_hobbies
            )
            for hobby in candidate.hobbies
        ),
    )
