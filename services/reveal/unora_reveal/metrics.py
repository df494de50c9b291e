"""What reveal measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.metrics import Metric, counter

DRAFTS: Final = counter(
    "unora_framed_drafts_total", "Drafts of the model that frames reveals, by what came of them", "outcome"
)

METRICS: Final[tuple[Metric[Any], ...]] = (DRAFTS,)
