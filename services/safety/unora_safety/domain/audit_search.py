"""Searches of the audit log, by the terms of its index (SA-01)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from unora_safety.domain.chain import Entry, EntryPosition


class Search(NamedTuple):
    """Which rows are searched for. Page tokens hold a hash of its `repr`: a new name would refuse tokens in use."""

    leads: Sequence[str]
    """A row must have one of these terms,"""
    others: Sequence[str]
    """and all of these,"""
    since: datetime
    """and be recorded from here (UTC)"""
    until: datetime
    """to before here (UTC)."""


class SearchPosition(NamedTuple):
    """The place of a row in the answer to a search, which is newest first."""

    recorded_at: datetime
    source_context: str
    number: int

    @classmethod
    def of(cls, entry: Entry) -> SearchPosition:
        """The place of this row."""
        return cls(entry.recorded_at, entry.source_context, entry.number)


class IndexHead(NamedTuple):
    """Up to which row a chain is in the index."""

    source_context: str
    last: EntryPosition | None
    """The last row in the index; None before the first."""
