"""DI-08: what other members may be shown of a member before Day 15. Every change is published to Discovery."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from unora_identity.domain.age import AgeBand, age_at, age_band
from unora_identity.domain.events import DiscoveryProfileChanged, EventHeader
from unora_identity.domain.hobbies import Hobby, as_shown
from unora_identity.domain.onboarding import Member, OnboardingStep, missing_steps
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Gender
from unora_identity.domain.trust import trust_level


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContents:
    """What the card of a member shows. Partners see it also while Discovery does not show the member (DI-15). No photo,
    name, phone number or exact age.
    """

    gender: Gender
    age_band: AgeBand
    city: str
    """Empty for a member whose city is not a place yet (PR-11)."""
    place_id: str
    hobbies: tuple[Hobby, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A member as Discovery may know them."""

    trust_level: int
    contents: CardContents | None
    """None while profile or hobbies are incomplete (PR-06)."""
    withheld: bool = False
    """Whether there are contents, but Discovery does not show the member: something is missing, or they are paused,
    closed or hidden. Cards that were dealt before, and a partner's card, stay as they are (DI-15, ID-16).
    """

    @property
    def ready(self) -> bool:
        """PR-06, ID-16: whether the member may be shown."""
        return self.contents is not None and not self.withheld


def make_card(member: Member, now: datetime, policy: Policy) -> Card:
    """The member's card at `now`: the age band changes with a birthday."""
    missing = missing_steps(member, now, policy)
    complete = not {OnboardingStep.PROFILE, OnboardingStep.HOBBIES} & set(missing)
    return Card(
        trust_level=trust_level(member.photos, member.streak_completed, member.gov_id_verified, policy),
        contents=_contents(member, now) if complete else None,
        withheld=complete and (bool(missing) or member.away),
    )


def card_changed(
    headers: Iterator[EventHeader], before: Member, after: Member, now: datetime, policy: Policy
) -> list[DiscoveryProfileChanged]:
    """DI-08, PR-06: the event for a change of the member's card, or no event if the card is the same. Of a member who
    lacks a step before and after, only the trust level is of interest to others.
    """
    card, was = make_card(after, now, policy), make_card(before, now, policy)
    onboarding = missing_steps(before, now, policy) and missing_steps(after, now, policy)
    same = card.trust_level == was.trust_level if onboarding else card == was
    return [] if same else [_event(headers, card)]


def age_band_changed(
    headers: Iterator[EventHeader], member: Member, now: datetime, policy: Policy
) -> list[DiscoveryProfileChanged]:
    """DI-08: the event for a birthday that began another age band, or none if Discovery does not show the member."""
    card = make_card(member, now, policy)
    return [_event(headers, card)] if card.ready else []


def _event(headers: Iterator[EventHeader], card: Card) -> DiscoveryProfileChanged:
    return DiscoveryProfileChanged(**next(headers), discovery_ready=card.ready, trust_level=card.trust_level)


def _contents(member: Member, now: datetime) -> CardContents:
    profile = member.profile
    assert profile.gender is not None
    assert profile.date_of_birth is not None
    return CardContents(
        gender=profile.gender,
        age_band=age_band(age_at(profile.date_of_birth, profile.time_zone, now)),
        city=profile.shown_city,
        place_id=profile.place_id,
        hobbies=tuple(as_shown(hobby) for hobby in member.hobbies),
    )
