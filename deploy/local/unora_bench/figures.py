"""What a bench measured: each figure beside the limit of the same run, and the noise of the machine meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NOISE_LIMIT: Final = 0.25
"""A figure that was measured beside more noise than this is shown, and not judged."""


class Group(StrEnum):
    """The parts of `make bench`, which ONLY names."""

    DISCOVERY = "discovery"
    SWEEP = "sweep"
    EVENTS = "events"
    CALLS = "calls"
    GATEWAY = "gateway"
    STARTS = "starts"


class Verdict(StrEnum):
    """What a figure says of its aim."""

    MET = "met"
    MISSED = "missed"
    NOISY = "noisy"
    """The machine did other work meanwhile, so the figure says nothing."""
    NONE = ""
    """It has no aim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. A unit that ends with `/s` is a rate, where more is better; of all others less is better."""

    group: Group
    name: str
    """What was measured, such as `CheckIn` or `RefreshBatch p99 at 1,000,000`; unique within the group."""
    value: float
    unit: str
    limit: float | None = None
    """What the same run measured as the best that this machine can do, in the same unit."""
    limit_name: str = ""
    """What that limit is, such as `bare SQL doing the same writes`."""
    aim: float | None = None
    """At least this (a rate), or at most this, in the unit."""
    aim_share: float | None = None
    """At least this part of the limit."""
    noise: float = 0.0
    """How much slower the slowest floor call beside it was than the usual one: 0.1 is a tenth."""

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")

    @property
    def share(self) -> float | None:
        """How much of the limit was reached: 1 is all of it. For times and sizes: the limit divided by the value."""
        if self.limit is None or not self.value or not self.limit:
            return None
        return self.value / self.limit if self.is_rate else self.limit / self.value

    @property
    def verdict(self) -> Verdict:
        """Whether the aims are met."""
        if self.aim is None and self.aim_share is None:
            return Verdict.NONE
        if self.noise > NOISE_LIMIT:
            return Verdict.NOISY
        return Verdict.MET if self._meets_aim() and self._meets_share() else Verdict.MISSED

    def _meets_aim(self) -> bool:
        if self.aim is None:
            return True
        return self.value >= self.aim if self.is_rate else self.value <= self.aim

    def _meets_share(self) -> bool:
        return self.aim_share is None or (self.share is not None and self.share >= self.aim_share)
