"""ID-11: what an operator sees of codes that were sent, and of budgets that are spent. Never a number or an address."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import prometheus_client
from unora_common.logs import Log

from unora_identity.domain.code_budgets import Budget

LOG_INTERVAL: Final = 60.0
"""Seconds between two log lines about one budget: whoever spends it asks again at once."""


class CodeAlarm:
    """Counts for the metrics, and warns in the log. The calling codes of the world are few enough for labels."""

    def __init__(
        self, log: Log, registry: prometheus_client.CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sent = prometheus_client.Counter(
            "unora_codes_sent", "Sign-in codes that were sent", ["calling_code"], registry=registry
        )
        self._refused = prometheus_client.Counter(
            "unora_codes_refused",
            "Sign-in codes and tries that were refused, by the budget that was spent",
            ["budget", "calling_code"],
            registry=registry,
        )
        self._log = log
        self._clock = clock
        self._since: Counter[Budget] = Counter()
        self._logged_at: dict[Budget, float] = {}

    def sent(self, calling_code: int) -> None:
        """A code was sent to a number of this calling code."""
        self._sent.labels(str(calling_code)).inc()

    def refused(self, budget: Budget, calling_code: int | None = None) -> None:
        """A code or a try was refused; logs how many, at most once a minute for each budget."""
        self._refused.labels(budget, str(calling_code or "")).inc()
        self._since[budget] += 1
        now = self._clock()
        if now - self._logged_at.get(budget, float("-inf")) >= LOG_INTERVAL:
            self._log.warning("codes refused", reason=str(budget), count=self._since.pop(budget))
            self._logged_at[budget] = now
