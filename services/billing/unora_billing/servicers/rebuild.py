"""The command of billing besides serving: its projections made anew (XX-08)."""

from __future__ import annotations

from unora_common.rebuild_command import rebuild_command
from unora_common.service import Command

from unora_billing.config import BillingConfig
from unora_billing.resources import Resources
from unora_billing.use_cases.rebuild import PARTS, parts

rebuild: Command[BillingConfig, Resources] = rebuild_command(PARTS, parts)
