"""DI-08: what others may be shown of a member before Day 15. Whatever changes it is told to Discovery."""

from dataclasses import dataclass
from datetime import datetime

from unora_identity.domain.age import AgeBand, age_at, age_band
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import Member, is_ready
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Gender
from unora_identity.domain.trust import trust_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What stands on the card of a member who is ready. No photo, name, phone or exact age."""

    gender: Gender
    age_band: AgeBand
    city: str
    hobbies: tuple[Hobby, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A member as Discovery may know them; without `shown` while they are not discovery-ready (PR-06)."""

    trust_level: int
    shown: Shown | None

    @property
    def ready(self) -> bool:
        """PR-06: discovery-ready."""
        return self.shown is not None


def card(member: Member, now: datetime, policy: Policy) -> Card:
    """The member's card at this moment: an age band changes with a birthday."""
    return Card(
        trust_level=trust_level(member.photos, member.streak_completed, member.gov_id_verified, policy),
        shown=_shown(member, now) if is_ready(member, now, policy) else None,
    )


def _shown(member: Member, now: datetime) -> Shown:
    profile = member.profile
    assert profile.gender is not None
    assert profile.date_of_birth is not None
    return Shown(
        gender=profile.gender,
        age_band=age_band(age_at(profile.date_of_birth, profile.time_zone, now)),
        city=profile.city,
        hobbies=member.hobbies,
    )
