"""The metrics that exist, and those that an expression of Prometheus names, with their labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from prometheus_client import Histogram
from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_common.metrics import Metric
from unora_tools.observe import rules

TARGET: Final = frozenset({"context", "role", "instance", "job"})
"""Labels that Prometheus gives each target: `context` and `role` by the PodMonitor or the file of targets."""
RECORDED: Final = frozenset({"slo", "context", "method", "consumer", "certificate"})
ENVOY: Final = {
    "envoy_http_downstream_rq_xx": {"envoy_response_code_class", "envoy_http_conn_manager_prefix"},
    "envoy_cluster_upstream_rq": {"envoy_response_code", "envoy_cluster_name"},
    "envoy_cluster_membership_healthy": {"envoy_cluster_name"},
    "envoy_server_days_until_first_cert_expiring": set(),
    "envoy_overload_envoy_resource_monitors_fixed_heap_pressure": set(),
    "envoy_overload_envoy_resource_monitors_global_downstream_max_connections_pressure": set(),
    "envoy_sds_key_rotation_failed": {"envoy_xds_resource_name"},
}
"""Metrics of Envoy that are used; tests/integration/observe asks a real one for them."""
OF_THE_PLATFORM: Final = {
    "certmanager_certificate_expiration_timestamp_seconds": {"name", "namespace"},
    "cnpg_collector_pg_wal_archive_status": {"namespace", "pod", "value"},
    "cnpg_pg_replication_streaming_replicas": {"namespace", "pod"},
    "cnpg_pg_replication_in_recovery": {"namespace", "pod"},
    "cnpg_pg_stat_archiver_last_archived_time": {"namespace", "pod"},
    "cnpg_pg_stat_archiver_last_failed_time": {"namespace", "pod"},
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp": {"namespace", "pod"},
}
"""Metrics of cert-manager, CloudNativePG and its plugin Barman Cloud, as their documentation names them."""
_NAME: Final = re.compile(
    r"(?<![\w:\"$])((?:unora|envoy|cnpg|barman|certmanager)_[a-z0-9_:]+|up|ALERTS)\b(?![\w:(]|=)\s*(\{[^{}]*\})?"
)
_MATCHER: Final = re.compile(r"(\w+) *(?:=~|!~|!=|=) *\"")
_GROUPED: Final = re.compile(r"\b(?:by|on|group_left|without) *\(([^)]*)\)")


@cache
def existing() -> dict[str, frozenset[str]]:
    """Each series that Prometheus has of the services, of Envoy and of the recording rules, with its labels."""
    found: dict[str, frozenset[str]] = {"up": TARGET, "ALERTS": TARGET | {"alertname", "alertstate", "severity"}}
    for metric in declared():
        labels = TARGET | set(metric.labels)
        if metric.kind is Histogram:
            found[f"{metric.name}_bucket"] = labels | {"le"}
            found |= dict.fromkeys((f"{metric.name}_sum", f"{metric.name}_count"), labels)
        else:
            found[metric.name] = labels
    found |= {name: TARGET | labels for name, labels in (ENVOY | OF_THE_PLATFORM).items()}
    return found | {each.name: RECORDED for each in rules.recordings()}


def declared() -> Iterator[Metric[Any]]:
    """All metrics that the services declare."""
    yield from COMMON_METRICS
    for context in CONTEXTS:
        yield from load_service(context).metrics


def faults(expr: str) -> list[str]:
    """The series in an expression that do not exist, and the labels that none of its series has."""
    series = sorted(series_in(expr))
    found = [name for name in series if name not in existing()]
    for name, matchers in _named(expr):
        unknown = set(_MATCHER.findall(matchers)) - existing().get(name, frozenset(_MATCHER.findall(matchers)))
        found += [f"{name}{{{label}}}" for label in sorted(unknown)]
    has = frozenset[str]().union(*(existing().get(name, frozenset()) for name in series))
    grouped = {label.strip() for group in _GROUPED.findall(expr) for label in group.split(",") if label.strip()}
    return found + [f"by {label}" for label in sorted(grouped - has)]


def series_in(expr: str) -> set[str]:
    """The series that an expression names."""
    return {name for name, _ in _named(expr)}


def _named(expr: str) -> list[tuple[str, str]]:
    """Each series with its matchers; labels by which it is grouped may be called like one."""
    return _NAME.findall(_GROUPED.sub("", expr))
