"""What safety measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.metrics import Metric, counted

CASES_OPEN: Final = counted("unora_cases_open", "Cases that are not decided (SA-05), by what opened them", "kind")
FLAGS_OPEN: Final = counted("unora_flags_open", "Flags whose case is not decided (SA-04)")

METRICS: Final[tuple[Metric[Any], ...]] = (CASES_OPEN, FLAGS_OPEN)
