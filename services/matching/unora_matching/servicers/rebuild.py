"""The command of matching besides serving: its projections made anew (XX-08)."""

from __future__ import annotations

from unora_common.rebuild_command import rebuild_command
from unora_common.service import Command

from unora_matching.config import MatchingConfig
from unora_matching.use_cases.rebuild import PARTS, parts

rebuild: Command[MatchingConfig, None] = rebuild_command(PARTS, parts)
