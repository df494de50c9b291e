"""The safety service: for now, the audit log."""

from __future__ import annotations

from unora_common.service import Service

from unora_safety.config import SafetyConfig
from unora_safety.consumers import Audit
from unora_safety.servicer import Moderation

service = Service("safety", config=SafetyConfig, servicers=[Moderation], consumers=[Audit])
