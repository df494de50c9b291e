"""What moderators see of one member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unora_safety.domain.cases import Case
from unora_safety.domain.flags import Flag
from unora_safety.domain.patterns import Rule
from unora_safety.domain.reports import Appeal, Report
from unora_safety.domain.restrictions import Restriction


@dataclass(frozen=True, slots=True)
class BlockAndReportCounts:
    """How many blocks and reports there are by and about a member."""

    blocks_made: int
    """Members that the member blocks now, other than the moderator who asks."""
    blocks_received: int
    """Members who block the member now."""
    reports_made: int
    """Reports that the member ever made, other than of the moderator who asks."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that safety knows of one member. The lists are newest first."""

    restriction: Restriction
    pattern_counts: Sequence[tuple[Rule, int]]
    """For each pattern that is counted, the number of distinct items within the rule's window up to now."""
    flags: Sequence[Flag]
    cases: Sequence[Case]
    reports: Sequence[Report]
    appeals: Sequence[Appeal]
    counts: BlockAndReportCounts
