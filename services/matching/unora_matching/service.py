"""The matching service."""

from __future__ import annotations

from unora_common.config import Config
from unora_common.service import Service

service = Service("matching", config=Config)
