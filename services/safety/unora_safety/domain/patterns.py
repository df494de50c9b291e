"""What makes a pattern (SA-04, SA-09), pure: distinct things in a window, activity far from everybody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import log1p
from typing import NamedTuple
from uuid import UUID

from unora_safety.domain.events import Pattern

MOST_EVIDENCE = 100
"""Ids that a flag keeps; beyond them the count tells enough."""


class Sighting(NamedTuple):
    """One distinct thing or person behind a pattern, at its latest."""

    at: datetime
    key: UUID


@dataclass(frozen=True)
class Rule:
    """From how many on, within which time; for outliers, from how many deviations on."""

    pattern: Pattern
    threshold: float
    window: timedelta
    enabled: bool = True


@dataclass(frozen=True)
class Baseline:
    """What is usual of one kind of activity, of ln(1 + count)."""

    members: int
    median: float
    deviation: float


@dataclass(frozen=True)
class History:
    """All that is known of one member when the detector looks."""

    user_id: UUID
    now: datetime
    rules: Sequence[Rule] = ()
    sightings: Mapping[Pattern, Sequence[Sighting]] = field(default_factory=dict)
    activity: Mapping[str, int] = field(default_factory=dict)
    """Counts by kind over the outlier rule's window."""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    decided: Mapping[Pattern, datetime] = field(default_factory=dict)
    """When a flag of the pattern was closed last: what was seen up to then has been judged."""
    flagged: frozenset[Pattern] = frozenset()
    """Patterns that have an open flag."""


@dataclass(frozen=True)
class Finding:
    """A pattern that was seen, and what it rests on: ids and numbers."""

    pattern: Pattern
    score: float
    ids: tuple[UUID, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class OutlierPolicy:
    """When a comparison with everybody else means something."""

    least_members: int = 50
    """A baseline of fewer members says nothing."""
    least_deviation: float = 0.35
    """Where nearly all do the same, a small difference must not look large; of ln(1 + count)."""
    least_count: int = 10
    """Less than so much is never far from everybody else's."""


def densest(sightings: Sequence[Sighting], window: timedelta) -> Sequence[Sighting]:
    """The most sightings that lie within any window of this length; the earliest of several. Order does not matter."""
    ordered = sorted(sightings)
    best: Sequence[Sighting] = ()
    start = 0
    for end, last in enumerate(ordered, 1):
        while last.at - ordered[start].at >= window:
            start += 1
        if end - start > len(best):
            best = ordered[start:end]
    return best


def by_rule(history: History, rule: Rule) -> Finding | None:
    """A pattern that is counted."""
    judged_until = history.decided.get(rule.pattern)
    seen = [each for each in history.sightings.get(rule.pattern, ()) if judged_until is None or each.at > judged_until]
    found = densest(seen, rule.window)
    if len(found) < rule.threshold:
        return None
    numbers = {
        "count": float(len(found)),
        "threshold": rule.threshold,
        "window_hours": rule.window / timedelta(hours=1),
    }
    ids = tuple(each.key for each in found[:MOST_EVIDENCE])
    return Finding(rule.pattern, len(found) / rule.threshold, ids, numbers)


def by_outlier(history: History, rule: Rule, policy: OutlierPolicy) -> Finding | None:
    """The kind of activity that lies farthest above the median, in robust deviations, if it is far enough."""
    judged = history.decided.get(rule.pattern)
    if judged is not None and history.now - judged < rule.window:
        return None
    scores = {
        kind: (log1p(count) - usual.median) / max(usual.deviation, policy.least_deviation)
        for kind, count in history.activity.items()
        if count >= policy.least_count
        and (usual := history.baselines.get(kind)) is not None
        and usual.members >= policy.least_members
    }
    if not scores:
        return None
    kind = max(sorted(scores), key=lambda each: scores[each])
    if scores[kind] < rule.threshold:
        return None
    numbers = {kind: float(history.activity[kind]), "threshold": rule.threshold}
    return Finding(rule.pattern, scores[kind], (), numbers)


def findings(history: History, policy: OutlierPolicy) -> list[Finding]:
    """All that the rules see which are on, but for what is flagged already."""
    found = []
    for rule in history.rules:
        if rule.enabled and rule.pattern not in history.flagged:
            outlier = rule.pattern is Pattern.OUTLIER
            seen = by_outlier(history, rule, policy) if outlier else by_rule(history, rule)
            found += [seen] if seen else []
    return found


@dataclass(frozen=True)
class Flag:
    """A finding that was told, and waits for a decision until it is closed."""

    id: UUID
    user_id: UUID
    found: Finding
    case_id: UUID
    raised_at: datetime
    closed_at: datetime | None
