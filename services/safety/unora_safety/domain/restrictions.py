"""Restrictions (SA-03, SA-06), pure: the measures in force for a member, and what a decision does to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID


class Decision(StrEnum):
    """What a moderator decided (SA-05)."""

    DISMISS = "dismiss"
    REDUCE_VISIBILITY = "reduce_visibility"
    RESTRICT = "restrict"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class Restriction:
    """All measures in force for one member. Version 0: none was ever published."""

    user_id: UUID
    version: int = 0
    reduced_visibility: bool = False
    restricted: bool = False
    suspended: bool = False

    @property
    def measures(self) -> tuple[bool, bool, bool]:
        """Reduced visibility, restricted, suspended."""
        return self.reduced_visibility, self.restricted, self.suspended


def apply_decision(restriction: Restriction, decision: Decision, *, replaces: bool) -> Restriction:
    """The restriction after a decision; the version grows only if a measure changed.

    With `replaces`, after an appeal, the decision takes the place of earlier measures; else it is added to them.
    """
    before = Restriction(restriction.user_id) if replaces else restriction
    after = replace(
        before,
        version=restriction.version,
        reduced_visibility=before.reduced_visibility or decision is Decision.REDUCE_VISIBILITY,
        restricted=before.restricted or decision is Decision.RESTRICT,
        suspended=before.suspended or decision is Decision.SUSPEND,
    )
    if after == restriction:
        return restriction
    return replace(after, version=restriction.version + 1)
