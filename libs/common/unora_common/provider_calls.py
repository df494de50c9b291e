"""Calls over HTTP to what is not Unora: other companies, and the object store.

Each is measured, and is a span below the current work if that is recorded (docs/traces.md). The modules that make such
calls say so here: each uses another library, and no library has a place for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from unora_common import trace
from unora_common.common_metrics import PROVIDER_CALL_DURATION
from unora_common.metrics import Metrics

OUTCOMES: Final = ("ok", "refused", "failed")
PORTS: Final = {"http": 80, "https": 443}


class ProviderCall:
    """One request."""

    __slots__ = ("status",)

    def __init__(self) -> None:
        self.status = 0
        """The HTTP status of the answer; 0 until it is known."""

    def answered(self, status: int) -> None:
        """Notes the HTTP status of the answer."""
        self.status = status


class ProviderCalls:
    """The calls of one process to one provider."""

    def __init__(self, provider: str, metrics: Metrics) -> None:
        """`provider` is its name in the metrics and spans, such as `stripe`."""
        self._provider = provider
        durations = metrics.of(PROVIDER_CALL_DURATION)
        self._durations = {outcome: durations.labels(provider, outcome) for outcome in OUTCOMES}

    @contextmanager
    def call(self, method: str, address: str) -> Iterator[ProviderCall]:
        """A block around one request, which calls `answered`; the method is GET, POST and so on. The request has failed
        if an exception leaves the block before `answered`, or after an answer that was no refusal. Only host and port
        of the address are recorded: path and query may name a member. It works in threads too.
        """
        above = trace.span()
        span = above.part(method, "client", self._attributes(method, address)) if above else None
        call, error = ProviderCall(), ""
        began = time.perf_counter()
        try:
            yield call
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            self._durations[_outcome(call.status, error)].observe(time.perf_counter() - began)
            if span:
                if call.status:
                    span.note("http.response.status_code", call.status)
                span.end(str(call.status) if call.status >= 400 else error)

    def _attributes(self, method: str, address: str) -> dict[str, Any]:
        parts = urlsplit(address)
        return {
            "http.request.method": method,
            "server.address": parts.hostname or "",
            "server.port": parts.port or PORTS.get(parts.scheme, 0),
            "unora.provider": self._provider,
        }


def _outcome(status: int, error: str) -> str:
    if 400 <= status < 500:
        return "refused"
    return "failed" if error or status >= 500 else "ok"
