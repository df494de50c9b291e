"""ID-02, ID-11: what an operator sees of codes that were sent, or not, and of budgets that are spent. Never a number, a
code or an address.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from unora_common.logs import Log
from unora_common.metrics import Metrics

from unora_identity.domain.code_budgets import Budget
from unora_identity.domain.deliveries import Delivery
from unora_identity.domain.phone_numbers import PhoneInvalid
from unora_identity.metrics import CODES_REFUSED, CODES_SENT, CODES_TOLD, CODES_UNSENT
from unora_identity.providers.sms import SmsUnavailable

LOG_INTERVAL: Final = 60.0
"""Seconds between two log lines for one reason: whoever spends a budget asks again at once."""


class CodeAlarm:
    """Counts for the metrics, and warns in the log. The calling codes of the world are few enough for labels."""

    def __init__(self, log: Log, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._sent = metrics.of(CODES_SENT)
        self._unsent = metrics.of(CODES_UNSENT)
        self._refused = metrics.of(CODES_REFUSED)
        self._refusals = _Warnings(log, "codes refused", clock)
        self._failures = _Warnings(log, "codes not sent", clock)

    def sent(self, calling_code: int) -> None:
        """A code was sent to a number of this calling code."""
        self._sent.labels(str(calling_code)).inc()

    def sending_failed(self, error: Exception) -> None:
        """A code could not be sent; logs how many, at most once a minute for each cause."""
        cause = _cause(error)
        self._unsent.labels(cause).inc()
        self._failures.warn(cause)

    def refused(self, budget: Budget, calling_code: int | None = None) -> None:
        """A code or a try was refused; logs how many, at most once a minute for each budget."""
        self._refused.labels(budget, str(calling_code or "")).inc()
        self._refusals.warn(str(budget))


class DeliveryAlarm:
    """The same of what the carrier tells of codes that it took."""

    def __init__(self, log: Log, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._told = metrics.of(CODES_TOLD)
        for delivery in Delivery:
            self._told.labels(delivery)  # it is there from the start, with 0
        self._warnings = _Warnings(log, "codes not delivered", clock)

    def delivery_reported(self, delivery: Delivery) -> None:
        """Something new was told of a code; logs how many did not arrive, at most once a minute."""
        self._told.labels(delivery).inc()
        if delivery is Delivery.FAILED:
            self._warnings.warn(str(delivery))


class _Warnings:
    """One kind of log line, at most once a minute for each reason, with the number of times."""

    def __init__(self, log: Log, event: str, clock: Callable[[], float]) -> None:
        self._log = log
        self._event = event
        self._clock = clock
        self._since: Counter[str] = Counter()
        self._logged_at: dict[str, float] = {}

    def warn(self, reason: str) -> None:
        self._since[reason] += 1
        now = self._clock()
        if now - self._logged_at.get(reason, float("-inf")) >= LOG_INTERVAL:
            self._log.warning(self._event, reason=reason, count=self._since.pop(reason))
            self._logged_at[reason] = now


def _cause(error: Exception) -> str:
    if isinstance(error, SmsUnavailable):
        return error.cause
    return "number_refused" if isinstance(error, PhoneInvalid) else type(error).__name__
