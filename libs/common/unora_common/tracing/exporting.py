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
FLUSH_SECONDS: Final = 3.0
"""The most seconds in which a process that ends sends what it has not sent yet."""


class NotExportedError(Exception):
    """The collector did not take spans in time."""


class _Reported(SpanExporter):
    """An exporter that says once that the collector is away, and once that it is there again."""

    def __init__(self, exporter: SpanExporter, log: Log, metrics: Metrics) -> None:
        self._exporter = exporter
        self._outage = Outage(log, "traces not sent")
        self._spans = metrics.of(SPANS)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        taken = result is SpanExportResult.SUCCESS
        self._spans.labels("sent" if taken else "lost").inc(len(spans))
        if taken:
            self._outage.over()
        else:
            self._outage.failed(NotExportedError())
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


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
    batches = BatchSpanProcessor(_Reported(exporter, log, metrics))
    provider.add_span_processor(WithoutIdleJobs(batches))
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
