"""The verification of an audit chain (SA-01), pure: it finds rows that are changed, missing or moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from unora_safety.domain.chain import START, Chain, Entry, EntryPosition, Head, digest


class ChainVerifier:
    """Verifies a chain from its first row, or from the end of an earlier verification.

    Call `check` with the rows in the order of their numbers, then `finish` with the head that is stored separately.
    """

    def __init__(self, verified: Head = START) -> None:
        self.verified = verified
        """The chain is unbroken up to here."""
        self.broken_at = 0
        """The number of the first row that is changed, missing or moved; 0 if none was found."""

    def check(self, entries: Sequence[Entry]) -> None:
        """Checks the next rows. After a break it ignores all rows: they prove nothing."""
        for entry in entries:
            if self.broken_at:
                return
            expected = self.verified.length + 1
            if entry.number != expected:
                self.broken_at = min(entry.number, expected)  # a row is missing, or exists twice
            elif entry.previous_hash != self.verified.hash or entry.hash != digest(entry):
                self.broken_at = expected
            else:
                self.verified = Head(expected, entry.hash)

    def finish(self, head: Head) -> int:
        """Compares the end of the rows with the head. Returns `broken_at`."""
        if not self.broken_at and self.verified != head:
            shorter = min(self.verified.length, head.length)
            self.broken_at = shorter if self.verified.length == head.length else shorter + 1
        return self.broken_at


class VerificationProgress(NamedTuple):
    """Where the next call continues a verification."""

    source_context: str
    verified: Head
    """The chain is unbroken up to here."""
    last: EntryPosition | None
    """The last row that was checked; None before the first."""


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """What was found in one chain."""

    chain: Chain
    verified_length: int
    """The number of rows up to which the chain is unbroken."""
    broken_at: int
    """The number of the first broken row; 0 if none was found."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What one call found."""

    chains: Sequence[VerifiedChain]
    next: VerificationProgress | None
    """None if everything is verified."""
