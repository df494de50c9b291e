"""Prometheus metrics of one process, in a registry of its own."""

from __future__ import annotations

from socketserver import ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app

CONNECTIONS: Final = 16
"""The most connections at once to the port for metrics."""
SILENCE: Final = 5.0
"""Seconds after which a connection without a request is cut."""
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
        self.messages_refused = Counter(
            "unora_messages_refused",
            "Messages of a stream that are no events of it",
            ["consumer", "reason"],
            registry=self.registry,
        )
        self.jobs_done = Counter("unora_jobs_done", "Things that a job did", ["job"], registry=self.registry)

    def serve(self, address: str) -> int:
        """Serves /metrics over HTTP in a thread, for the life of the process. Returns the port."""
        host, _, port = address.rpartition(":")
        server = make_server(host, int(port), make_wsgi_app(self.registry), _Server, _Handler)
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        return server.server_port


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection, and only so many."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._room = BoundedSemaphore(CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints nothing: that a client went away or said nothing is no error of this process."""


class _Handler(WSGIRequestHandler):
    """Cuts a connection that sends no request, and writes no access log."""

    timeout = SILENCE

    def log_message(self, *arguments: Any) -> None:
        """Logs nothing: a scrape every few seconds is no news."""
