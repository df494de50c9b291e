"""Sends spans to a collector by OTLP over gRPC, from a thread of its own. A collector that is away holds up nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Tracer, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from unora_sdk.environment import ConfigError

from unora_common.common_metrics import SPANS
from unora_common.config import Config
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.outages import Outage
from unora_common.tracing.idle_jobs import WithoutIdleJobs

LIBRARY: Final = "opentelemetry"
QUEUE_SIZE: Final = 2048
"""How many spans wait to be sent at most, unless OTEL_BSP_MAX_QUEUE_SIZE says otherwise."""
FLUSH_SECONDS: Final = 3.0
"""The most seconds in which a process that ends sends what it has not sent yet."""


class NotExportedError(Exception):
    """The collector did not take spans in time."""


class _Reported(SpanExporter):
    """An exporter that counts what becomes of spans, and says once that the collector is away and that it is back."""

    def __init__(self, exporter: SpanExporter, room: int, log: Log, metrics: Metrics) -> None:
        """`room` is for how many spans the queue before it has room."""
        self._exporter = exporter
        self._outage = Outage(log, "traces not sent")
        spans = metrics.of(SPANS)
        self._sent, self._lost = spans.labels("sent"), spans.labels("lost")
        self._room = room
        self._waiting = 0
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Whether one more span may wait in the queue; if not, it is lost."""
        with self._lock:
            fits = self._waiting < self._room
            self._waiting += fits
        if not fits:
            self._lost.inc()
        return fits

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._lock:
            self._waiting -= len(spans)
        error: Exception = NotExportedError()
        try:
            result = self._exporter.export(spans)
        except Exception as raised:  # the library would log it, but its log is silent
            result, error = SpanExportResult.FAILURE, raised
        if result is SpanExportResult.SUCCESS:
            self._sent.inc(len(spans))
            self._outage.over()
        else:
            self._lost.inc(len(spans))
            self._outage.failed(error)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Queue(BatchSpanProcessor):
    """The queue of the library, without spans that do not fit: it would drop others for them, and count nothing."""

    def __init__(self, exporter: _Reported, room: int) -> None:
        super().__init__(exporter, max_queue_size=room)
        self._admit = exporter.admit

    def on_end(self, span: ReadableSpan) -> None:
        if self._admit():
            super().on_end(span)


def make_tracer(
    service: str, config: Config, log: Log, metrics: Metrics
) -> tuple[Tracer, Callable[[], Awaitable[None]]]:
    """The tracer of one process of a service, and what ends it; the collector may be away. Raises ConfigError."""
    # What the library logs of an outage, again and again, `_Reported` says once.
    logging.getLogger(LIBRARY).setLevel(logging.CRITICAL)
    resource = Resource.create(
        {
            "service.namespace": "unora",
            "service.name": service,
            "service.version": version("unora"),
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(config.traces_ratio), resource=resource, shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(config.traces_endpoint, insecure=config.traces_endpoint.startswith("http://"))
    try:
        room = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE, QUEUE_SIZE))
        queue = _Queue(_Reported(exporter, room, log, metrics), room)
    except ValueError as error:
        raise ConfigError(
            f"{OTEL_BSP_MAX_QUEUE_SIZE} or another variable of the queue of spans cannot be used: {error}"
        ) from None
    provider.add_span_processor(WithoutIdleJobs(queue))
    tracer = provider.get_tracer("unora", version("unora"))
    if not isinstance(tracer, Tracer):
        raise ConfigError("OTEL_SDK_DISABLED is true: unset it, or unset UNORA_TRACES_ENDPOINT to record no traces")
    return tracer, lambda: _within(FLUSH_SECONDS, provider.shutdown)


async def _within(seconds: float, work: Callable[[], None]) -> None:
    """Runs blocking work in a thread that does not keep the process alive, and waits so long for it."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop is closed: this was not waited for
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="traces", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return
