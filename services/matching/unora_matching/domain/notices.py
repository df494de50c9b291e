"""What safety and identity publish of members, as matching applies it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BlockNotice:
    """A member blocked another, or lifted that block (MA-12)."""

    blocker_id: UUID
    blocked_id: UUID
    block_id: UUID
    version: int
    """The block's version."""
    blocked: bool
    """False if the block was lifted."""
    changed_at: datetime
    """When the member acted (UTC)."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """The measures in force for a member from `changed_at` on, as a whole (SA-06, SA-08)."""

    user_id: UUID
    restricted: bool
    """The member's interests never match, and the member does not notice it."""
    suspended: bool
    """The member has no connections either."""
    version: int
    changed_at: datetime
    """When safety decided (UTC)."""


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """Whether a member is away from `changed_at` on, as a whole (ID-09, ID-13, ID-16)."""

    user_id: UUID
    paused: bool
    """No interest of or to the member matches."""
    closed: bool
    """The account is closed or hidden: the member has no connections and no interests either."""
    version: int
    """The version of identity's event."""
    changed_at: datetime | None
    """When the member acted (UTC). Of a member who is back, only the event says it; else None."""
