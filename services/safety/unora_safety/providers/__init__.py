"""The outside world, each behind a port: who looks for suspicious patterns (SA-09)."""

from __future__ import annotations

from typing import Protocol

from unora_safety.domain import Finding, History, OutlierPolicy, findings


class Detector(Protocol):
    """Looks at what is known of a member. It is called outside of any transaction, so it may be far away."""

    async def examine(self, history: History) -> list[Finding]:
        """What it finds suspicious; nothing that has an open flag or was judged already."""
        ...


class Rules:
    """The default: the rules of the table, and an outlier score over activity. It needs nothing but this process."""

    def __init__(self, policy: OutlierPolicy) -> None:
        self._policy = policy

    async def examine(self, history: History) -> list[Finding]:
        """SA-04, SA-09: by the rules that are data, and by how far activity lies from everybody else's."""
        return findings(history, self._policy)
