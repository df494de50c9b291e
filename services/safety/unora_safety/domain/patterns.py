"""Patterns (SA-04, SA-09), pure: distinct items within a window, and activity far from that of other members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import log1p
from typing import Final, NamedTuple
from uuid import UUID

MAX_EVIDENCE = 100
"""The most ids that a flag keeps; the count says how many there were."""


class Pattern(StrEnum):
    """What a flag is about (SA-04)."""

    INTEREST_FLOOD = "interest_flood"
    BAD_FAITH_ENDINGS = "bad_faith_endings"
    MANY_BLOCKS = "many_blocks"
    MANY_REPORTS = "many_reports"
    SHARED_DEVICE = "shared_device"
    PAYMENT_ABUSE = "payment_abuse"
    OUTLIER = "outlier"
    CHARGEBACKS = "chargebacks"
    UNDER_AGE_DATE = "under_age_date"
    SUSPENDED_BEFORE = "suspended_before"


HAPPEN_ONCE: Final = frozenset({Pattern.CHARGEBACKS})
"""Patterns whose items happen once: what is told of an item later, as that its dispute was lost, is nothing new."""


class Sighting(NamedTuple):
    """One distinct item or person that counts for a pattern, with the latest time at which it was seen (UTC), or the
    first one if it happens once.
    """

    seen_at: datetime
    key: UUID


@dataclass(frozen=True, slots=True)
class Rule:
    """The threshold from which on a pattern raises a flag: a count within the window; for outliers, deviations."""

    pattern: Pattern
    threshold: float
    window: timedelta
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Baseline:
    """How much of one kind of activity is usual, measured as ln(1 + count)."""

    members: int
    median: float
    deviation: float


@dataclass(frozen=True, slots=True)
class History:
    """All that the detector knows of one member at one moment."""

    user_id: UUID
    now: datetime
    rules: Sequence[Rule] = ()
    sightings: Mapping[Pattern, Sequence[Sighting]] = field(default_factory=dict)
    activity: Mapping[str, int] = field(default_factory=dict)
    """Counts by kind over the outlier rule's window."""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    decided: Mapping[Pattern, datetime] = field(default_factory=dict)
    """When a flag of the pattern was last closed. Sightings up to then have been judged."""
    flagged: frozenset[Pattern] = frozenset()
    """Patterns that have an open flag."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern that was detected, with its evidence: ids and numbers."""

    pattern: Pattern
    score: float
    ids: tuple[UUID, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutlierPolicy:
    """When a comparison with other members counts (SA-09)."""

    least_members: int = 50
    """A baseline of fewer members is not used."""
    least_deviation: float = 0.35
    """The smallest deviation to divide by, in ln(1 + count): where most members do the same, a small difference must
    not get a high score.
    """
    least_count: int = 10
    """A smaller count is never an outlier."""


def densest_window(sightings: Sequence[Sighting], window: timedelta) -> Sequence[Sighting]:
    """The most sightings that lie within one window of this length; of several windows the earliest.

    The order of the sightings does not matter.
    """
    ordered = sorted(sightings)
    best: Sequence[Sighting] = ()
    start = 0
    for end, last in enumerate(ordered, 1):
        while last.seen_at - ordered[start].seen_at >= window:
            start += 1
        if end - start > len(best):
            best = ordered[start:end]
    return best


def find_by_count(history: History, rule: Rule) -> Finding | None:
    """The rule's pattern, if enough distinct items lie within its window."""
    judged_until = history.decided.get(rule.pattern)
    sightings = history.sightings.get(rule.pattern, ())
    unjudged = [each for each in sightings if judged_until is None or each.seen_at > judged_until]
    found = densest_window(unjudged, rule.window)
    if len(found) < rule.threshold:
        return None
    numbers = {
        "count": float(len(found)),
        "threshold": rule.threshold,
        "window_hours": rule.window / timedelta(hours=1),
    }
    ids = tuple(each.key for each in found[:MAX_EVIDENCE])
    return Finding(rule.pattern, len(found) / rule.threshold, ids, numbers)


def find_outlier(history: History, rule: Rule, policy: OutlierPolicy) -> Finding | None:
    """The kind of activity farthest above its median, in robust deviations, if it reaches the rule's threshold."""
    judged_at = history.decided.get(rule.pattern)
    if judged_at is not None and history.now - judged_at < rule.window:
        return None
    scores = {
        kind: (log1p(count) - baseline.median) / max(baseline.deviation, policy.least_deviation)
        for kind, count in history.activity.items()
        if count >= policy.least_count
        and (baseline := history.baselines.get(kind)) is not None
        and baseline.members >= policy.least_members
    }
    if not scores:
        return None
    kind = max(sorted(scores), key=lambda each: scores[each])
    if scores[kind] < rule.threshold:
        return None
    numbers = {kind: float(history.activity[kind]), "threshold": rule.threshold}
    return Finding(rule.pattern, scores[kind], (), numbers)


def find_patterns(history: History, policy: OutlierPolicy) -> list[Finding]:
    """All patterns that the enabled rules detect, except those that have an open flag."""
    findings = []
    for rule in history.rules:
        if rule.enabled and rule.pattern not in history.flagged:
            outlier = rule.pattern is Pattern.OUTLIER
            found = find_outlier(history, rule, policy) if outlier else find_by_count(history, rule)
            findings += [found] if found else []
    return findings
