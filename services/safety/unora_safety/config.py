"""What the safety service reads from its environment, the numbers of its rules among it.

From how many on a pattern raises a flag is data, in safety.flag_rules.
"""

from __future__ import annotations

from unora_common.config import Config

from unora_safety.domain import OutlierPolicy


class SafetyConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    appeals_per_day: int = 3
    """How many appeals a member may make within 24 hours (SA-06)."""
    reports_per_day: int = 20
    """How many reports a member may make within 24 hours: moderators read the newest of a member's (SA-07)."""
    device_accounts: int = 20
    """With so many other accounts of a device, the latest, an account is compared (SA-04)."""
    outlier_members: int = 50
    """A comparison with fewer members than this says nothing (SA-09)."""
    outlier_count: int = 10
    """Less activity than this is never an outlier (SA-09)."""
    baseline_minutes: float = 60.0
    """How often it is measured what is usual, by the rule clock."""
    late_hours: int = 168
    """How long after a rule's window what was seen is kept, for events that come late."""
    explained: int = 100
    """How many of each list an explanation of a member holds."""
    examine_batch: int = 100
    """How many members the detector looks at between two looks at the queue."""
    forget_batch: int = 5000
    """How many rows of each kind are forgotten at a time."""
    audit_verify_batch: int = 1000
    """How many rows of the audit log a verification holds in memory at a time."""

    audit_index_batch: int = 1000
    """How many rows of each chain are made searchable in one transaction."""

    @property
    def outliers(self) -> OutlierPolicy:
        """The numbers as the domain takes them."""
        return OutlierPolicy(least_members=self.outlier_members, least_count=self.outlier_count)
