"""What the safety service reads from its environment."""

from __future__ import annotations

from unora_common.config import Config


class SafetyConfig(Config, frozen=True, kw_only=True):
    """The numbers are about work done at a time; no rule hangs on them."""

    audit_verify_batch: int = 1000
    """How many rows of the audit log a verification holds in memory at a time."""
