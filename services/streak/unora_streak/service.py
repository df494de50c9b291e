"""The streak service: the daily loop of each connection."""

from __future__ import annotations

from unora_common.service import Service

from unora_streak.config import StreakConfig
from unora_streak.consumers import Connections, Payments, Tiers
from unora_streak.jobs import Days
from unora_streak.servicers import Recovery, Streaks

service = Service(
    "streak",
    config=StreakConfig,
    servicers=[Streaks, Recovery],
    consumers=[Connections, Payments, Tiers],
    jobs=[Days],
)
