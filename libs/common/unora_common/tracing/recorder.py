"""What is recorded of a process: its calls, the events that it publishes and applies, its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

import grpc
from opentelemetry.sdk.trace import Tracer
from unora_sdk.deliveries import Delivery

from unora_common import trace
from unora_common.tracing.spans import Span, remote, start
from unora_common.tracing.tracing import JOB, Tracing, traceparent_of

STATUS_CODE: Final = "rpc.response.status_code"
SERVER_ERRORS: Final = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""Statuses that say that the server has failed. The others are answers, such as a refusal."""


class Recorder(Tracing):
    """Records the traces that are sampled: by their parent, or by a share of those that begin here."""

    def __init__(self, tracer: Tracer, close: Callable[[], Awaitable[None]]) -> None:
        self._tracer = tracer
        self._close = close
        self.interceptors = [_Calls()]

    def call(self, method: str, context: grpc.aio.ServicerContext[Any, Any], parent: str) -> None:
        """Begins the span of a call, which ends when the call has ended."""
        name = _path(method)
        span = start(self._tracer, name, "server", remote(parent), _rpc(name))
        if isinstance(span, str):
            trace.begin(span)
            return
        trace.enter(span)
        context.add_done_callback(partial(_end_call, span))  # type: ignore[arg-type]  # not what gRPC's stubs say

    def application(self, consumer: str, subject: str, events: Sequence[Delivery]) -> AbstractContextManager[object]:
        """The span of a transaction that applies events: below the publication of the first that is recorded, with
        links to those of the others.
        """
        found = [context for event in events if (context := remote(traceparent_of(event)))]
        recorded = [context for context in found if context.trace_flags.sampled]
        attributes = _messaging(subject, "process", "process") | {"messaging.consumer.group.name": consumer}
        if len(events) > 1:
            attributes["messaging.batch.message_count"] = len(events)
        above = next(iter(recorded or found), None)
        return self._block(start(self._tracer, f"process {subject}", "consumer", above, attributes, recorded[1:]))

    def job(self, name: str) -> AbstractContextManager[trace.Span | None]:
        """The span of one run of a job: a trace of its own."""
        return self._block(start(self._tracer, f"job {name}", "internal", None, {JOB: name}))

    def publication(self, subject: str, traceparent: str) -> Span | None:
        """The span of a publication, below the work that has emitted the event, if that was recorded."""
        above = remote(traceparent)
        if above is None or not above.trace_flags.sampled:
            return None
        span = start(self._tracer, f"publish {subject}", "producer", above, _messaging(subject, "publish", "send"))
        return span if isinstance(span, Span) else None

    async def close(self) -> None:
        """Sends what is recorded and not sent yet, within a few seconds."""
        await self._close()

    def _block(self, span: Span | str) -> AbstractContextManager[Span | None]:
        if isinstance(span, Span):
            return span
        trace.begin(span)
        return trace.NO_SPAN


class _Calls(grpc.aio.UnaryUnaryClientInterceptor):
    """The span of a call to another context, below the current work."""

    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        """Makes the call with the traceparent of its span."""
        above = trace.span()
        if above is None:
            return await continuation(client_call_details, request)
        method = _path(client_call_details.method)
        with above.part(method, "client", _rpc(method)) as span:
            call = await continuation(_with_traceparent(client_call_details, span.traceparent), request)
            try:
                code = (await call.code()).name
            except asyncio.CancelledError:
                call.cancel()  # only who waits for the answer itself cancels it by being cancelled
                raise
            span.note(STATUS_CODE, code)
            if code != "OK":
                span.fail(code)
            return call


def _path(method: Any) -> str:
    """The name of a method without its slash; gRPC gives it as bytes."""
    path = method.decode() if isinstance(method, bytes) else str(method)
    return path.removeprefix("/")


def _with_traceparent(details: grpc.aio.ClientCallDetails, traceparent: str) -> grpc.aio.ClientCallDetails:
    others = [pair for pair in details.metadata or () if pair[0] != trace.HEADER]
    metadata = grpc.aio.Metadata(*others, (trace.HEADER, traceparent))
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )


def _end_call(span: Span, context: Any) -> None:
    status: grpc.StatusCode | None = context.code()  # None if it was answered
    code = status.name if status else "OK"
    span.note(STATUS_CODE, code)
    if code != "OK" and (reason := context.details()):
        span.note("unora.reason", reason)
    if code in SERVER_ERRORS:
        span.fail(code)
    span.end()


def _rpc(method: str) -> dict[str, Any]:
    return {"rpc.system.name": "grpc", "rpc.method": method}


def _messaging(subject: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "messaging.system": "nats",
        "messaging.destination.name": subject,
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
    }
