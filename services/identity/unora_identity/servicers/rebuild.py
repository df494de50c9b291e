"""The command of identity besides serving: its projections made anew (XX-08)."""

from __future__ import annotations

from unora_common.rebuild_command import rebuild_command
from unora_common.service import Command

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.use_cases.rebuild import PARTS, parts

rebuild: Command[IdentityConfig, Resources] = rebuild_command(PARTS, parts)
