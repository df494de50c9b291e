"""The safety service: the audit log, and what protects members."""

from __future__ import annotations

from unora_common.service import Service

from unora_safety.config import SafetyConfig
from unora_safety.consumers import Audit, Patterns
from unora_safety.jobs import Detection, Indexing
from unora_safety.resources import make_resources
from unora_safety.servicers import Members, Moderation, Restrictions

service = Service(
    "safety",
    config=SafetyConfig,
    servicers=[Members, Moderation, Restrictions],
    consumers=[Audit, Patterns],
    jobs=[Indexing, Detection],
    resources=make_resources,
)
