"""The pool: what discovery knows of each member from the contexts that own it (DI-08, DI-09)."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class AgeBand(StrEnum):
    """DI-08: a card shows this instead of an age."""

    FROM_18 = "18_24"
    FROM_25 = "25_29"
    FROM_30 = "30_34"
    FROM_35 = "35_39"
    FROM_40 = "40_49"
    FROM_50 = "50_59"
    FROM_60 = "60_plus"


class Gender(StrEnum):
    """As the member describes it. Never on a card (DI-08)."""

    WOMAN = "woman"
    MAN = "man"
    NON_BINARY = "non_binary"


class Tier(StrEnum):
    """A member's subscription tier."""

    FREE = "free"
    PLUS = "plus"
    PRO = "pro"


@dataclass(frozen=True, slots=True)
class Hobby:
    """A hobby option, and what the member says about it."""

    hobby_option_id: str
    name: str
    micro_description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A member, from identity. Gender, age band and hobbies may be absent if the member is not discovery-ready."""

    user_id: UUID
    version: int
    discovery_ready: bool
    gender: Gender | None
    age_band: AgeBand | None
    city: str
    """Empty as long as the city is no place (PR-11)."""
    place_id: str
    trust_level: int
    hobbies: tuple[Hobby, ...]
    texts_version: int | None = None
    """The version at which all texts were last judged anew (PR-10); None if identity does not know."""
    missing: tuple[str, ...] = ()
    """What the member lacks to be discovery-ready (PR-06): for the member alone, so it is not kept."""
    paused: bool = False
    """ID-16: the member has paused. The pool only keeps that they are not ready; identity tells why."""

    @property
    def says_nothing(self) -> bool:
        """Whether it is the profile of a member who has only signed in, about whom there is no event yet."""
        return not self.discovery_ready and self.trust_level <= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TierNotice:
    """A member's tier at this version, from billing."""

    user_id: UUID
    version: int
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A member's connection slots, from matching."""

    user_id: UUID
    version: int
    active_connection_count: int
    connection_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """All restrictions of a member at this version, from safety (SA-03)."""

    user_id: UUID
    version: int
    reduced_visibility: bool
    restricted: bool
    suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A member found by a search: what a card may show, and the member's id."""

    user_id: UUID
    profile_version: int
    """The version of the member's profile from which these facts are."""
    age_band: AgeBand
    city: str
    place_id: str
    trust_level: int
    hobbies: tuple[Hobby, ...]

    @property
    def shown_city(self) -> str:
        """PR-11: empty without a place, whatever an earlier version has stored."""
        return self.city if self.place_id else ""

    def shares(self, hobby_option_ids: Collection[str]) -> int:
        """DI-07: how many of these hobbies the candidate has too."""
        return sum(hobby.hobby_option_id in hobby_option_ids for hobby in self.hobbies)
