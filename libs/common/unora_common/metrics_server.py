"""Serves the metrics of a process over HTTP, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from unora_common.logs import Log

CONNECTIONS: Final = 16
"""The most connections at once to the port for metrics."""
REQUEST_TIMEOUT: Final = 5.0
"""Seconds after which a connection without a request is cut."""


def serve_metrics(registry: CollectorRegistry, address: str, log: Log) -> int:
    """Serves /metrics in a thread, for the life of the process. Returns the port."""
    host, _, port = address.rpartition(":")
    server = make_server(host, int(port), _guarded(make_wsgi_app(registry), log), _Server, _Handler)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server.server_port


def _guarded(answer: Callable[..., Iterable[bytes]], log: Log) -> Callable[..., Iterable[bytes]]:
    """An error of a collector becomes a line of the log and an empty answer: wsgiref would print a traceback."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return answer(environ, start_response)
        except Exception as error:
            log.error("metrics cannot be collected", failure=error)
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"the log of this process says why\n"]

    return guarded


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

    timeout = REQUEST_TIMEOUT

    def log_message(self, *arguments: Any) -> None:
        """Logs nothing: a scrape every few seconds is no news."""
