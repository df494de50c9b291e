"""The arithmetic of the report: calls that were made, and what they say about the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

OK: Final = "OK"
NORMAL_IN_A_ROW: Final = 20
"""So many calls in a row must be answered quickly before all counts as normal again."""


class Kind(StrEnum):
    """Who makes a call."""

    MEMBER = "member"
    CONTEXT = "context"
    """Another context: ListRevocations, without which it must refuse its members after a minute (SA-06)."""
    UPLOAD = "upload"
    """A member who completes the upload of a photo."""


DEADLINES: Final = {Kind.MEMBER: 2.0, Kind.CONTEXT: 2.0, Kind.UPLOAD: 10.0}
"""Seconds within which a call must be answered to count."""


class Sample(msgspec.Struct, array_like=True, frozen=True):
    """One honest call."""

    kind: Kind
    method: str
    began: float
    """By the clock that all processes of this machine share (time.monotonic)."""
    seconds: float
    outcome: str
    """OK, or the status and the reason."""

    @property
    def in_time(self) -> bool:
        """Whether it was answered within its deadline."""
        return self.outcome == OK and self.seconds <= DEADLINES[self.kind]


def within(samples: Iterable[Sample], begin: float, end: float) -> list[Sample]:
    """The calls that began in a span of time."""
    return [each for each in samples if begin <= each.began < end]


def share_in_time(samples: Iterable[Sample], kind: Kind) -> float | None:
    """The share of one kind's calls that was answered in time; None if there were none."""
    found = [each.in_time for each in samples if each.kind is kind]
    return sum(found) / len(found) if found else None


def failures(samples: Iterable[Sample]) -> Counter[str]:
    """How often what went wrong: by method and outcome; an answer that came late is `late`."""
    missed = [each for each in samples if not each.in_time]
    return Counter(f"{each.method} {each.outcome if each.outcome != OK else 'late'}" for each in missed)


def seconds_until_normal(samples: Iterable[Sample], ended: float, limit: float) -> float | None:
    """Seconds from the end of an attack until the first of NORMAL_IN_A_ROW calls of members in a row began that were
    all answered within `limit` seconds; None if there were not so many yet.
    """
    later = sorted((each for each in samples if each.began >= ended and each.kind is Kind.MEMBER), key=_began)
    first, count = 0, 0
    for number, each in enumerate(later):
        if each.outcome == OK and each.seconds <= limit:
            count += 1
            if count == NORMAL_IN_A_ROW:
                return later[first].began - ended
        else:
            first, count = number + 1, 0
    return None


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so large a part of the values does not exceed; 0 if there are none."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)] if values else 0.0


def _began(sample: Sample) -> float:
    return sample.began
