"""What billing measures beside what every service does."""

from __future__ import annotations

from typing import Any, Final

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.metrics import Metric, counted, counter, histogram

SETTLEMENT_SECONDS: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)

PROVIDER_EVENTS: Final = counter(
    "unora_provider_events_total", "New events of the payment provider, by what they changed", "outcome"
)
MISMATCHES: Final = counter(
    "unora_payment_mismatches_total", "Times that the provider's amounts were not those of a payment"
)
PAYMENTS_OPEN: Final = counted(
    "unora_payments_open",
    "Payments that are not settled: `created`, `pending`, or paid and not delivered; counted up to "
    f"{COUNT_LIMIT:,} of each status",
    "status",
)
PAYMENTS_OLDEST_OPEN: Final = counted(
    "unora_payments_oldest_open_seconds",
    "Age of the oldest payment of a status that is not settled: of `created` and `pending` since it was created, of "
    "`succeeded` since it was paid; 0 without one",
    "status",
)
PAYMENT_SETTLEMENT: Final = histogram(
    "unora_payment_settlement_seconds",
    "Time from when a payment was created until it was applied, credited or failed; those that the member did not "
    "confirm are not counted",
    buckets=SETTLEMENT_SECONDS,
)
SUMMED_ACCOUNTS: Final = 500_000
"""The most accounts whose balances are added up, so that the sum costs little when many members hold credits."""
CREDITS: Final = counted(
    "unora_credits_circulating",
    f"Credits that members hold (BI-03); at most those of the {SUMMED_ACCOUNTS:,} members who hold most",
)

METRICS: Final[tuple[Metric[Any], ...]] = (
    *(PROVIDER_EVENTS, MISMATCHES, PAYMENTS_OPEN, PAYMENTS_OLDEST_OPEN, PAYMENT_SETTLEMENT, CREDITS),
)
