"""Members who wait for the detector (SA-04)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID


class QueuedMember(NamedTuple):
    """A member who waits for an examination."""

    user_id: UUID
    marks: int
    """Grows with each new sighting: an examination that began before the last mark is repeated."""
