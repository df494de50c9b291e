"""What reveal measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.metrics import Metric, counter

DRAFTS: Final = counter(
    "unora_framed_drafts_total",
    "Drafts of the model that frames reveals: `accepted`, `refused` by the checks, `failed`, or not asked for since "
    "the model was `busy`; 0 without a model",
    "outcome",
    known=("accepted", "refused", "failed", "busy"),
)

METRICS: Final[tuple[Metric[Any], ...]] = (DRAFTS,)
