"""XX-08: the parts of the pool that a rebuild makes anew, each from the context that owns it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Part(StrEnum):
    """In this order: nobody is shown before their profile, so who is not to be shown must be known by then."""

    RESTRICTIONS = "restrictions"
    INVENTORIES = "inventories"
    TIERS = "tiers"
    PROFILES = "profiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rebuild has come with one part."""

    part: Part
    run_id: UUID
    token: str
    """Of the next page; empty before the first one."""
    members: int
    finished: bool
