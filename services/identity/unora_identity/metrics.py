"""What identity measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.metrics import Metric, counted, counter

CODES_SENT: Final = counter("unora_codes_sent_total", "Sign-in codes that were sent", "calling_code")
CODES_UNSENT: Final = counter(
    "unora_codes_unsent_total",
    "Sign-in codes that could not be sent: `rate_limit`, `no_answer`, `number_refused`, or the carrier's number of the "
    "error, which is there once it has come",
    "cause",
    known=("rate_limit", "no_answer", "number_refused"),
)
CODES_REFUSED: Final = counter(
    "unora_codes_refused_total",
    "Sign-in codes and tries that were refused, by the budget that was spent",
    *("budget", "calling_code"),
)
CODES_TOLD: Final = counter("unora_codes_told_total", "What the carrier told of sign-in codes", "delivery")
ERASURES_OVERDUE: Final = counted(
    "unora_erasures_overdue",
    "Erasures that lack a receipt for too long, by the context or the object store that owes it; of the "
    f"{COUNT_LIMIT:,} oldest",
    "source",
)

METRICS: Final[tuple[Metric[Any], ...]] = (CODES_SENT, CODES_UNSENT, CODES_REFUSED, CODES_TOLD, ERASURES_OVERDUE)
