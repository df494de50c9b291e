"""What safety measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.metrics import Metric, counted

CASES_OPEN: Final = counted(
    "unora_cases_open",
    f"Cases that are not decided (SA-05), by what opened them; counted up to {COUNT_LIMIT:,} of all",
    "kind",
)
FLAGS_OPEN: Final = counted(
    "unora_flags_open", f"Flags whose case is not decided (SA-04), counted up to {COUNT_LIMIT:,}"
)

METRICS: Final[tuple[Metric[Any], ...]] = (CASES_OPEN, FLAGS_OPEN)
