"""The metrics of one process, in a registry of its own (decision 0054).

Each metric is declared once: those of every service in `common_metrics.py`, those of a context in its `metrics.py`,
which its `service.py` lists. A part of a service gets one by its declaration: `runtime.metrics.of(RPC_DURATION)`. A
metric that is not declared cannot be used, so docs/metrics.md, which `make reference` writes from the declarations, has
them all.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, RestrictedRegistry

# When a counter began to count is of no use to Prometheus here, and it would be a series more for each counter.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

Values = Mapping[tuple[str, ...], float]
"""The values of a counted gauge, by the values of its labels."""

VALID_FOR: Final = 600.0
"""Seconds for which a counted value is shown: it is counted anew after half of that at most, unless counting hangs."""


class Counted(Collector):
    """A gauge whose values are counted from time to time, all at once. Before the first count, and while counting
    fails, it has no values: an absent value says more than an old one.
    """

    def __init__(
        self, name: str, documentation: str, labelnames: Sequence[str] = (), registry: CollectorRegistry | None = None
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = tuple(labelnames)
        self._values: Values = {}
        self._counted_at = 0.0
        if registry is not None:
            registry.register(self)

    def set_all(self, values: Values) -> None:
        """Replaces all values."""
        self._values, self._counted_at = dict(values), time.monotonic()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The name, by which the registry refuses a second metric."""
        yield GaugeMetricFamily(self._name, self._documentation, labels=self._labels)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What Prometheus reads. It does so in a thread of its own, so it takes the values once."""
        family = GaugeMetricFamily(self._name, self._documentation, labels=self._labels)
        if time.monotonic() - self._counted_at <= VALID_FOR:
            for labels, value in self._values.items():
                family.add_metric(labels, value)
        yield family


M = TypeVar("M", Counter, Gauge, Histogram, Counted)


@dataclass(frozen=True)
class Metric(Generic[M]):
    """The declaration of one metric."""

    kind: type[M]
    name: str
    """As Prometheus shows it: with `_total` if it is a counter."""
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    """Values of its one label that are known beforehand: a process shows them from its start, with 0."""

    @property
    def shown_type(self) -> str:
        """Its type for a person: counter, gauge, counted gauge or histogram."""
        return "counted gauge" if self.kind is Counted else self.kind.__name__.lower()

    def make(self, registry: CollectorRegistry | None) -> M:
        """One of it, in the registry."""
        options: dict[str, Any] = {"buckets": self.buckets} if self.buckets else {}
        made = self.kind(self.name, self.meaning, self.labels, registry=registry, **options)
        if isinstance(made, Counter):
            for value in self.known:
                made.labels(value)
        return made


def counter(name: str, meaning: str, *labels: str, known: tuple[str, ...] = ()) -> Metric[Counter]:
    """Declares what only grows. `known` has values of its label, if there is one, that are known beforehand."""
    return Metric(Counter, name, meaning, labels, known=known)


def gauge(name: str, meaning: str, *labels: str) -> Metric[Gauge]:
    """Declares what the process knows at each moment."""
    return Metric(Gauge, name, meaning, labels)


def counted(name: str, meaning: str, *labels: str) -> Metric[Counted]:
    """Declares a gauge whose values are counted now and then, such as in Postgres."""
    return Metric(Counted, name, meaning, labels)


def histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...]) -> Metric[Histogram]:
    """Declares what is measured again and again, such as seconds. `buckets` are upper bounds, without the last one."""
    return Metric(Histogram, name, meaning, labels, buckets)


class Registry(CollectorRegistry):
    """Makes series at the first look at the metrics, not at the start of the process: a histogram takes long to make,
    and there are some for each method.
    """

    def __init__(self) -> None:
        super().__init__()
        self._expected: list[tuple[Counter | Histogram, tuple[str, ...]]] = []

    def expect(self, metric: Counter | Histogram, *labels: str) -> None:
        """From the first look on there is a series with these values of the metric's labels, with 0 at first."""
        self._expected.append((metric, labels))

    def collect(self) -> Iterable[prometheus_client.Metric]:
        """All that is shown."""
        self._make_expected()
        return super().collect()

    def restricted_registry(self, names: Iterable[str]) -> RestrictedRegistry:
        """What is shown of these metrics."""
        self._make_expected()
        return super().restricted_registry(names)

    def _make_expected(self) -> None:
        while self._expected:
            with suppress(IndexError):  # who looks in another thread has made the last of them
                metric, labels = self._expected.pop()
                metric.labels(*labels)


class Metrics:
    """The metrics of a process: all that are declared, from its start on."""

    def __init__(self, declared: Iterable[Metric[Any]]) -> None:
        self.registry = Registry()
        self._made = {metric: metric.make(self.registry) for metric in declared}

    def of(self, metric: Metric[M]) -> M:
        """The metric of this process. Raises KeyError if neither `common_metrics.py` nor the context's `service.py`
        declares it.
        """
        made: M = self._made[metric]
        return made

    def expect(self, metric: Metric[Counter] | Metric[Histogram], *labels: str) -> None:
        """Shows a series with these values of its labels from the first look on, with 0 at first: a series that begins
        with 1 would be no increase for Prometheus.
        """
        self.registry.expect(self._made[metric], *labels)

    def add(self, metric: Metric[Counter] | Metric[Histogram], amount: float) -> None:
        """Adds to a counter without labels, or a value to a histogram without."""
        made: Counter | Histogram = self._made[metric]
        if isinstance(made, Counter):
            made.inc(amount)
        else:
            made.observe(amount)
