"""What streak measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.metrics import Metric, counted, counter

STEPS: Final = counter("unora_streak_steps_total", "Steps of time that the sweep took on streaks, such as a closed day")
STEPS_LATE: Final = counter(
    "unora_streak_steps_late_total", "Those that the sweep took more than a minute after they were due"
)
STREAKS: Final = counted("unora_streaks", "Streaks of connections that go on, by state", "state")

METRICS: Final[tuple[Metric[Any], ...]] = (STEPS, STEPS_LATE, STREAKS)
