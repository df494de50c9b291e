"""What the metrics of a process show."""

from __future__ import annotations

from typing import Any

from unora_common.app import App


def value(app: App[Any, Any], name: str, **labels: str) -> float | None:
    """The value of a series; None if there is none."""
    return app.metrics.registry.get_sample_value(name, labels)


async def count(app: App[Any, Any]) -> None:
    """Counts what is counted, at once."""
    await app.gauges.count_now()
