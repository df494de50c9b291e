"""What the safety service reads from its environment, with the numbers of its rules.

The thresholds of patterns are data, in `safety.flag_rules`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from unora_common.config import Config

from unora_safety.domain.patterns import OutlierPolicy


class SafetyConfig(Config, frozen=True, kw_only=True):
    """The defaults of the rules' numbers come from the design; a deployment may set others."""

    audit_key: Path
    """PEM of the private key (EC, P-256) that signs exports of audit heads (SA-11). Used for nothing else."""
    audit_keys_known: tuple[Path, ...] = ()
    """Earlier keys as PEM, private or public, whose exports `verify` still accepts."""
    audit_export_dir: str = ""
    """A folder outside the database, in which each process keeps the daily exports as files. Empty: no files; the event
    `AuditHeadsExported` carries each export too.
    """

    appeals_per_day: int = 3
    """How many appeals a member may make within 24 hours (SA-06)."""
    reports_per_day: int = 20
    """How many reports a member may make within 24 hours: moderators see only the newest of a member (SA-07)."""
    report_closed_days: float = 7.0
    """Days after which a report is shown to its author as closed, whatever was decided, by the rule clock (SA-10)."""
    device_accounts: int = 20
    """The most other accounts of a device, the latest, that count for an account (SA-04)."""
    suspension_trace_days: float = 730.0
    """How long the traces of a suspended member's closed account are kept (ID-09)."""
    closed_trace_days: float = 37.0
    """How long those of other members are kept: as long as the account may be reopened, and a margin (ID-09). So long
    it is also known that an account was opened again, for a closing of before that is told late.
    """
    outlier_members: int = 50
    """With fewer members than this no outliers are looked for (SA-09)."""
    outlier_count: int = 10
    """Less activity than this is never an outlier (SA-09)."""
    baseline_minutes: float = 60.0
    """Minutes between two measurements of the baselines, by the rule clock."""
    late_hours: int = 168
    """How many hours longer than the rule's window sightings are kept, for events that arrive late. So long the number
    and the device of a new account are known too (ID-09): the closing of a suspended member's may be told after it.
    """
    explained: int = 100
    """The most items in each list of an explanation of a member."""
    examine_batch: int = 100
    """The most members that are claimed from the queue for the detector at once."""
    forget_batch: int = 5000
    """The most rows of each kind that are deleted in one transaction."""
    audit_verify_batch: int = 1000
    """The most rows of the audit log that a verification holds in memory at once."""
    audit_index_batch: int = 1000
    """The most rows of each chain that are added to the index in one transaction."""

    @property
    def report_closed_after(self) -> timedelta:
        """The time from a report to its state CLOSED (SA-10)."""
        return timedelta(days=self.report_closed_days)

    @property
    def suspension_trace(self) -> timedelta:
        """How long the traces of a suspended member count."""
        return timedelta(days=self.suspension_trace_days)

    @property
    def outliers(self) -> OutlierPolicy:
        """The numbers for the domain."""
        return OutlierPolicy(least_members=self.outlier_members, least_count=self.outlier_count)
