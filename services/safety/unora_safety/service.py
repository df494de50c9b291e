"""The safety service: the audit log, and the protection of members."""

from __future__ import annotations

from unora_common.erasing import ErasureEvents
from unora_common.service import Service

from unora_safety.config import SafetyConfig
from unora_safety.consumers.accounts import AccountEvents
from unora_safety.consumers.audit_log import AuditLogEvents
from unora_safety.consumers.patterns import PatternEvents
from unora_safety.jobs import AuditExportJobs, AuditIndexJobs, DetectionJobs, ErasureJobs, ModerationGauges
from unora_safety.metrics import METRICS
from unora_safety.resources import make_resources
from unora_safety.servicers.commands import export_audit_heads, verify
from unora_safety.servicers.data_subjects import DataSubjects
from unora_safety.servicers.members import Members
from unora_safety.servicers.moderation import Moderation
from unora_safety.servicers.projections import Projections
from unora_safety.servicers.restrictions import Restrictions

service = Service(
    "safety",
    config=SafetyConfig,
    servicers=[Members, Moderation, Restrictions, Projections, DataSubjects],
    consumers=[AuditLogEvents, PatternEvents, AccountEvents, ErasureEvents],
    jobs=[AuditIndexJobs, AuditExportJobs, DetectionJobs, ErasureJobs],
    gauges=[ModerationGauges],
    metrics=METRICS,
    resources=make_resources,
    commands={"export-audit-heads": export_audit_heads, "verify": verify},
)
