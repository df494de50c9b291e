"""ID-09: the erasure of an account, which is done when everyone who kept something of the member has told so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

CONTEXTS: Final = ("identity", "discovery", "matching", "streak", "reveal", "billing", "safety")
OBJECTS: Final = "objects"
"""The object store, for which identity itself gives the receipt."""
SOURCES: Final = (*CONTEXTS, OBJECTS)
"""Whose receipts an erasure needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure from the moment on at which it cannot be undone."""

    id: UUID
    user_id: UUID
    version: int
    """The version of the member's latest event."""
    receipts: frozenset[str] = frozenset()
    erased_at: datetime | None = None

    def with_receipt(self, source: str, now: datetime) -> Erasure:
        """The erasure with one more receipt. The last one completes it; one that it has already changes nothing."""
        if source in self.receipts:
            return self
        receipts = self.receipts | {source}
        if receipts < set(SOURCES):
            return replace(self, receipts=receipts)
        return replace(self, receipts=receipts, erased_at=now, version=self.version + 1)
