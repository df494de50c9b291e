"""What discovery knows of members from the contexts that own it: who may be shown, and to whom not (DI-09)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_discovery.domain.servers import ServerType


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
    """DI-09: why one member is not shown to another; `lifted` keeps nobody apart any more.

    An interest that is void goes on as one that pends, since that is what its sender believes (MA-11).
    """

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

    def shares(self, hobby_option_ids: Collection[str]) -> int:
        """DI-07: how many of these hobbies they have too."""
        return sum(hobby.hobby_option_id in hobby_option_ids for hobby in self.hobbies)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found of those who may be shown, none of them twice in any of the three."""

    ranked: tuple[Candidate, ...]
    """The most alike first, by chance among equals (DI-07)."""
    anyone: tuple[Candidate, ...] = ()
    """Some of all who may be shown, by chance alone, however little they share; they may be ranked as well."""
    waiting: tuple[Candidate, ...] = ()
    """Whose interest waits for the viewer, in the order of chance (DI-13); they may be ranked as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A member's slots as matching tells them."""

    user_id: UUID
    version: int
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
    apart_until: datetime | None = None
    """When an interest that pends, or seems to, is over in any case (UTC), as its sending tells; else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Whether an interest waits for its receiver, at this version."""

    interest_id: UUID
    version: int
    sender_id: UUID
    receiver_id: UUID
    server_type: ServerType
    waits: bool
    waits_until: datetime | None = None
    """When it waits no longer in any case (UTC), as its sending tells; else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of one member by another, or its lifting, as it was told last."""

    blocker_id: UUID
    blocked_id: UUID
    in_force: bool
    changed_at: datetime
    """When (UTC); of one direction the newest counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member's whole standing as safety tells it, at this version (SA-03)."""

    user_id: UUID
    version: int
    reduced_visibility: bool
    restricted: bool
    suspended: bool
