"""Flags (SA-04), pure: findings that moderators see, and that are closed with their case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_safety.domain.patterns import Finding, History, Pattern


@dataclass(frozen=True, slots=True)
class Flag:
    """A finding that waits for a decision until it is closed."""

    id: UUID
    user_id: UUID
    finding: Finding
    case_id: UUID
    raised_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FlagState:
    """The flags of one member: which patterns have an open one, and which were decided."""

    flagged: frozenset[Pattern]
    decided: Mapping[Pattern, datetime]
    """When a flag of the pattern was last closed."""


def still_new(findings: Iterable[Finding], history: History, state: FlagState) -> list[Finding]:
    """The findings that were neither flagged nor decided after the history was read."""
    return [
        each
        for each in findings
        if each.pattern not in state.flagged and state.decided.get(each.pattern) == history.decided.get(each.pattern)
    ]
