"""What streak measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.metrics import Metric, counted, counter

STEPS: Final = counter("unora_streak_steps_total", "Steps of time that the sweep took on streaks, such as a closed day")
STEPS_LATE: Final = counter(
    "unora_streak_steps_late_total", "Those that the sweep took more than a minute after they were due"
)
SAMPLED_PAGES: Final = 16_384
"""The most pages of the table in which streaks are counted (128 MiB). A larger table is estimated from so many."""
STREAKS: Final = counted(
    "unora_streaks",
    "Streaks of connections that go on, by state. If their table has more than "
    f"{SAMPLED_PAGES:,} pages (128 MiB), it is an estimate by a sample of so many, some percent off",
    "state",
)

METRICS: Final[tuple[Metric[Any], ...]] = (STEPS, STEPS_LATE, STREAKS)
