"""A collector of traces for tests: it takes spans by OTLP over gRPC, as a real one does, and keeps them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from unora_testing.deadlines import eventually


@dataclass(frozen=True)
class Seen:
    """A span as it was sent."""

    service: str
    """Of whose process it is."""
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    """The id of the span above; empty for the first of its trace."""
    links: tuple[str, ...]
    """The ids of other spans that have caused it."""
    attributes: dict[str, Any]
    failed: bool

    @property
    def said(self) -> str:
        """Its service and its name."""
        return f"{self.service} {self.name}"


class Collector(TraceServiceServicer):
    """What was sent so far."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.received: list[bytes] = []
        """The messages as they came."""
        self.resources: list[dict[str, Any]] = []
        """What each message said of its process."""
        self.endpoint = ""

    async def Export(  # noqa: N802 - the contract's name
        self, request: ExportTraceServiceRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> ExportTraceServiceResponse:
        """Keeps spans."""
        self.received.append(request.SerializeToString())
        for of_process in request.resource_spans:
            resource = _attributes(of_process.resource.attributes)
            self.resources.append(resource)
            for scope in of_process.scope_spans:
                self.spans += [_seen(str(resource["service.name"]), span) for span in scope.spans]
        return ExportTraceServiceResponse()

    def of_trace(self, trace: str) -> list[Seen]:
        """The spans of one trace, by its id."""
        return [span for span in self.spans if span.trace == trace]

    async def wait_for(self, *names: str, trace: str = "") -> list[Seen]:
        """The spans of one trace, or all, as soon as each of these is there: `streak job close_days`.

        A name that stands twice is waited for twice. Name each span that the test looks at: a call is answered
        before its span ends, and each process sends its spans on its own, so that one says nothing of another.
        """

        def missing() -> Counter[str]:
            return Counter(names) - Counter(span.said for span in self._found(trace))

        try:
            await eventually(lambda: not missing(), "all spans are sent")
        except AssertionError as error:
            raise AssertionError(f"{error}: {dict(missing())}") from None
        return self._found(trace)

    def _found(self, trace: str) -> list[Seen]:
        return self.of_trace(trace) if trace else list(self.spans)


@asynccontextmanager
async def collector(port: int = 0) -> AsyncIterator[Collector]:
    """A collector on a port of loopback, by default a free one."""
    made, server = Collector(), grpc.aio.server()
    add_TraceServiceServicer_to_server(made, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    made.endpoint = f"http://127.0.0.1:{port}"
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)


def _seen(service: str, span: SpanMessage) -> Seen:
    return Seen(
        service,
        span.name,
        SpanMessage.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        tuple(link.span_id.hex() for link in span.links),
        _attributes(span.attributes),
        span.status.code == SpanStatus.STATUS_CODE_ERROR,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}
