"""The command of reveal besides serving: its projections made anew (XX-08)."""

from __future__ import annotations

from unora_common.rebuild_command import rebuild_command
from unora_common.service import Command

from unora_reveal.config import RevealConfig
from unora_reveal.resources import Resources
from unora_reveal.use_cases.rebuild import PARTS, parts

rebuild: Command[RevealConfig, Resources] = rebuild_command(PARTS, parts)
