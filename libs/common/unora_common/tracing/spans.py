"""A span of OpenTelemetry as the current work. It never holds the text of an error, which may hold a member's."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from opentelemetry.sdk.trace import Tracer
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from unora_common import trace
from unora_common.errors import DomainError
from unora_common.trace import Entered, Kind

KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
FAILED: Final = Status(StatusCode.ERROR)


class Span:
    """A span that is recorded."""

    __slots__ = ("_entered", "_span", "_tracer", "traceparent")

    def __init__(self, tracer: Tracer, span: OtelSpan) -> None:
        self._tracer = tracer
        self._span = span
        self.traceparent = traceparent(span.get_span_context())
        self._entered: Entered | None = None

    def part(self, name: str, kind: Kind = "internal", attributes: Mapping[str, Any] | None = None) -> Span:
        """A span below this one."""
        below = set_span_in_context(self._span)
        return Span(self._tracer, self._tracer.start_span(name, below, KINDS[kind], attributes))

    def note(self, name: str, value: Any) -> None:
        """Sets an attribute: nothing that a member wrote or that names a member."""
        self._span.set_attribute(name, value)

    def fail(self, kind: str) -> None:
        """Marks the work as failed, with the kind of its error."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(FAILED)

    def end(self, error: str = "") -> None:
        """Ends a span that is no block, with the kind of the error if its work has failed. It is sent then."""
        if error:
            self.fail(error)
        self._span.end()

    def __enter__(self) -> Span:
        self._entered = trace.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._entered is not None:
            trace.leave(self._entered)
        if isinstance(error, DomainError):  # an answer of the rules, no failure
            self.note("unora.reason", error.reason)
        elif error is not None:
            self.fail(type(error).__name__)
            if state := getattr(error, "sqlstate", None):
                self.note("db.response.status_code", state)
        self.end()

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def traceparent(context: SpanContext) -> str:
    """The header that carries a span's place in its trace."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def remote(text: str) -> SpanContext | None:
    """The span that a traceparent names; None if it is no traceparent."""
    if not trace.is_traceparent(text):
        return None
    _, trace_id, span_id, flags = text.split("-")
    context = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return context if context.is_valid else None


def start(
    tracer: Tracer,
    name: str,
    kind: Kind,
    above: SpanContext | None,
    attributes: Mapping[str, Any],
    others: list[SpanContext] | None = None,
) -> Span | str:
    """Begins a span below one of another process, or a trace of its own. Returns the traceparent alone if it is not to
    be recorded. `others` are spans that have caused it too.
    """
    if above is not None and not above.trace_flags.sampled:
        return traceparent(above)
    context = None if above is None else set_span_in_context(NonRecordingSpan(above))
    links = [Link(other) for other in others or ()]
    span = tracer.start_span(name, context, KINDS[kind], attributes, links)
    return Span(tracer, span) if span.is_recording() else traceparent(span.get_span_context())
