"""The detector of suspicious patterns (SA-09)."""

from __future__ import annotations

from typing import Protocol

from unora_safety.domain.patterns import Finding, History, OutlierPolicy, find_patterns


class Detector(Protocol):
    """Examines what is known of a member. It is called outside any transaction, so it may be a remote service."""

    async def examine(self, history: History) -> list[Finding]:
        """What is suspicious, without patterns that have an open flag or were judged already."""
        ...


class RuleDetector:
    """The default: the rules of the table, and an outlier score of activity, computed in this process."""

    def __init__(self, policy: OutlierPolicy) -> None:
        self._policy = policy

    async def examine(self, history: History) -> list[Finding]:
        """SA-04, SA-09: by the rules of the table, and by the distance from the usual activity."""
        return find_patterns(history, self._policy)
