"""What discovery knows of members from the contexts that own it: who may be shown, and to whom not (DI-09)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class AgeBand(StrEnum):
    """DI-08: in place of an age."""

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


class Reason(StrEnum):
    """DI-09: why one member is not shown to another; `lifted` keeps nobody apart any more."""

    INTEREST_PENDING = "interest_pending"
    CONNECTED = "connected"
    ENDED = "ended"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Hobby:
    """An option and what the member says about it."""

    hobby_option_id: str
    name: str
    micro_description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A member as identity tells it; without gender, age band and hobbies while they are not discovery-ready."""

    user_id: UUID
    version: int
    discovery_ready: bool
    gender: Gender | None
    age_band: AgeBand | None
    city: str
    trust_level: int
    hobbies: tuple[Hobby, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Someone who was found for a card: what the card may show, and who it is."""

    user_id: UUID
    age_band: AgeBand
    city: str
    trust_level: int
    hobbies: tuple[Hobby, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A member's slots as matching tells them."""

    user_id: UUID
    version: int
    tier: Tier
    active_connection_count: int
    connection_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """`other_id` is not shown to `user_id`, because of `source_id`: an interest or a connection, at this version."""

    source_id: UUID
    version: int
    user_id: UUID
    other_id: UUID
    reason: Reason
