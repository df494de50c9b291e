"""Metrics: each is declared once, by the conventions of Prometheus, and nothing in them is of a member (XX-04)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from prometheus_client import Counter, Histogram, generate_latest
from unora_common import metrics as metrics_module
from unora_common.common_metrics import COMMON_METRICS, EVENTS_APPLIED, JOB_DUE, RPC_REFUSALS, SPANS
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_common.metrics import Counted, Metric, Metrics, counter

ALL: Final[list[Metric[Any]]] = [*COMMON_METRICS, *(each for name in CONTEXTS for each in load_service(name).metrics)]
LABELS: Final = {
    *("version", "method", "access", "code", "reason", "room", "state", "event", "consumer", "job_name", "dependency"),
    *("calling_code", "cause", "budget", "delivery", "source", "status", "outcome", "kind"),
    *("certificate", "result", "provider"),
}
"""Labels with few values, none of which says anything of a member."""
MILLI: Final = re.compile(r"milli|micro|_ms\b|_minutes|_hours|_days|percent|_kb|_mb")

TIMES: Final = re.compile(r"_(duration|wait|lag|age|interval|settlement|oldest|seconds|timestamp)(_|$)")


@pytest.mark.parametrize("metric", ALL, ids=[each.name for each in ALL])
def test_a_metric_has_a_name_of_the_conventions_and_labels_that_are_allowed(metric: Metric[Any]) -> None:
    assert re.fullmatch(r"unora(_[a-z]+)+", metric.name)
    assert not MILLI.search(metric.name), "units are base units: seconds, bytes, ratios"
    assert (metric.kind is Counter) == metric.name.endswith("_total"), "counters alone end with _total"
    assert metric.kind is not Histogram or metric.name.endswith("_seconds")
    assert not TIMES.search(metric.name) or metric.name.endswith("_seconds")
    assert "timestamp" not in metric.name or metric.name.endswith("_timestamp_seconds")
    assert set(metric.labels) <= LABELS
    assert metric.meaning
    assert not metric.meaning.endswith(".")
    assert sorted(metric.buckets) == list(metric.buckets)


def test_no_two_metrics_have_a_name_in_common() -> None:
    """A registry refuses that in one context; over all contexts one name means one thing."""
    names = [re.sub(r"_total$", "", metric.name) for metric in ALL]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_process_has_all_its_metrics_from_the_start(context: str) -> None:
    declared = [*COMMON_METRICS, *load_service(context).metrics]
    metrics = Metrics(declared)
    shown = generate_latest(metrics.registry).decode()
    for each in declared:
        assert f"# TYPE {each.name} " in shown
        assert isinstance(metrics.of(each), each.kind)


def test_a_metric_that_is_not_declared_cannot_be_used() -> None:
    with pytest.raises(KeyError):
        Metrics(COMMON_METRICS).of(counter("unora_forgotten_total", "What nobody declared"))


def test_when_a_counter_began_is_no_series() -> None:
    metrics = Metrics(COMMON_METRICS)
    metrics.of(EVENTS_APPLIED).labels("a").inc()
    assert "_created" not in generate_latest(metrics.registry).decode()


def test_a_counted_gauge_has_the_values_of_the_last_count_and_none_without_one_or_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metrics = Metrics(COMMON_METRICS)
    found: Counted = metrics.of(JOB_DUE)

    def values() -> dict[str, float]:
        samples = [sample for family in found.collect() for sample in family.samples]
        return {sample.labels["job_name"]: sample.value for sample in samples}

    assert values() == {}
    found.set_all({("close_days",): 3, ("expire",): 0})
    found.set_all({("close_days",): 4})
    assert values() == {"close_days": 4}
    monkeypatch.setattr(metrics_module, "VALID_FOR", -1.0)
    assert values() == {}
    assert f"# TYPE {JOB_DUE.name} gauge" in generate_latest(metrics.registry).decode()


def test_known_values_of_a_label_are_there_from_the_start() -> None:
    metrics = Metrics(COMMON_METRICS)
    assert [metrics.registry.get_sample_value(SPANS.name, {"result": each}) for each in ("sent", "lost")] == [0, 0]


def test_a_series_that_is_expected_is_there_at_the_first_look_and_is_not_made_before() -> None:
    look: dict[str, Callable[[Metrics], str]] = {
        "all": lambda metrics: generate_latest(metrics.registry).decode(),
        "some": lambda metrics: generate_latest(metrics.registry.restricted_registry([RPC_REFUSALS.name])).decode(),
    }
    for name, shown in look.items():
        metrics = Metrics(COMMON_METRICS)
        metrics.expect(RPC_REFUSALS, "CheckIn", "SERVICE_BUSY")
        assert not metrics.of(RPC_REFUSALS)._metrics, "it is not made yet"
        assert f'{RPC_REFUSALS.name}{{method="CheckIn",reason="SERVICE_BUSY"}} 0.0' in shown(metrics), name


def test_a_series_that_counts_before_the_first_look_goes_on_from_there() -> None:
    metrics = Metrics(COMMON_METRICS)
    metrics.expect(RPC_REFUSALS, "CheckIn", "SERVICE_BUSY")
    metrics.of(RPC_REFUSALS).labels("CheckIn", "SERVICE_BUSY").inc()
    assert (
        f'{RPC_REFUSALS.name}{{method="CheckIn",reason="SERVICE_BUSY"}} 1.0'
        in generate_latest(metrics.registry).decode()
    )
