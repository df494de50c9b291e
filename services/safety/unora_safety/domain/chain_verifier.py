"""The verification of an audit chain (SA-01), pure: it finds rows that are changed, missing or moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from unora_safety.domain.chain import START, Chain, Entry, EntryPosition, Head, digest

NO_CHECKPOINTS: Final[Mapping[int, bytes]] = MappingProxyType({})


class ChainVerifier:
    """Verifies a chain from its first row, or from the end of an earlier verification.

    Call `check` with the rows in the order of their numbers, then `finish` with the head that is stored separately.
    `checkpoints` are hashes by row number, from exports of the head (SA-11): the chain must lead through them.
    """

    def __init__(self, verified: Head = START, checkpoints: Mapping[int, bytes] = NO_CHECKPOINTS) -> None:
        self.verified = verified
        """The chain is unbroken up to here."""
        self.broken_at = 0
        """The number of the first row that is changed, missing or moved; 0 if none was found."""
        self.differs_at = 0
        """The number of the first checkpoint that the chain does not lead through; 0 if it leads through all."""
        self._checkpoints = checkpoints

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
                if not self.differs_at and self._checkpoints.get(expected, entry.hash) != entry.hash:
                    self.differs_at = expected

    def finish(self, head: Head) -> int:
        """Compares the end of the rows with the head. Returns `broken_at`."""
        if not self.broken_at and self.verified != head:
            shorter = min(self.verified.length, head.length)
            self.broken_at = shorter if self.verified.length == head.length else shorter + 1
        beyond = [number for number in self._checkpoints if number > head.length]
        if beyond and not self.differs_at:
            self.differs_at = min(beyond)
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
    differs_at: int = 0
    """The number of the first exported head that the chain does not lead through (SA-11); 0 if it leads through all."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What one call found."""

    chains: Sequence[VerifiedChain]
    next: VerificationProgress | None
    """None if everything is verified."""
