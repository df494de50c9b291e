"""The command of discovery besides serving: its projections made anew (XX-08)."""

from __future__ import annotations

from unora_common.rebuild_command import rebuild_command
from unora_common.service import Command

from unora_discovery.config import DiscoveryConfig
from unora_discovery.resources import Resources
from unora_discovery.use_cases.rebuild import PARTS, parts

rebuild: Command[DiscoveryConfig, Resources] = rebuild_command(PARTS, parts)
