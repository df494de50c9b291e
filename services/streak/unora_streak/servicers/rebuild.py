"""The command of streak besides serving: its projections made anew (XX-08)."""

from __future__ import annotations

from unora_common.rebuild_command import rebuild_command
from unora_common.service import Command

from unora_streak.config import StreakConfig
from unora_streak.use_cases.rebuild import PARTS, parts

rebuild: Command[StreakConfig, None] = rebuild_command(PARTS, parts)
