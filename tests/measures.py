"""What the metrics of a process show."""

from __future__ import annotations

from typing import Any

from unora_common.app import App
from unora_common.common_metrics import COMMON_METRICS
from unora_common.metrics import Metrics
from unora_common.provider_calls import ProviderCalls


def value(app: App[Any, Any], name: str, **labels: str) -> float | None:
    """The value of a series; None if there is none."""
    return app.metrics.registry.get_sample_value(name, labels)


async def count(app: App[Any, Any]) -> None:
    """Counts what is counted, at once."""
    await app.gauges.count_now()


def provider_calls(provider: str) -> ProviderCalls:
    """The calls of a provider that a test makes without a process."""
    return ProviderCalls(provider, Metrics(COMMON_METRICS))
