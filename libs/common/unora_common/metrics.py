"""Prometheus metrics of one process, in a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of every service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Histogram(
            "unora_rpc_seconds", "Time to answer a call", ["method", "code"], buckets=BUCKETS, registry=self.registry
        )
        self.events_applied = Counter(
            "unora_events_applied", "Events applied by a consumer", ["consumer"], registry=self.registry
        )
        self.dead_letters = Counter(
            "unora_dead_letters", "Events that failed too often", ["consumer"], registry=self.registry
        )
        self.jobs_done = Counter("unora_jobs_done", "Things that a job did", ["job"], registry=self.registry)

    def serve(self, address: str) -> None:
        """Serves /metrics over HTTP in a thread, for the life of the process."""
        host, _, port = address.rpartition(":")
        start_http_server(int(port), addr=host, registry=self.registry)
