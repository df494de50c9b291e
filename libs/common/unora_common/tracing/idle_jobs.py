"""Leaves out the traces of jobs that found nothing to do: with one every second in each process, they would be most."""

from __future__ import annotations

from threading import Lock
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import StatusCode

from unora_common.tracing.tracing import DONE, JOB

MAX_HELD_SPANS: Final = 256
"""A run with more spans than this is sent at once: it does something."""


class WithoutIdleJobs(SpanProcessor):
    """Keeps the spans of a job until it ends, and passes them on if it did anything or any of them failed."""

    def __init__(self, further: SpanProcessor) -> None:
        self._further = further
        self._kept: dict[int, list[ReadableSpan]] = {}
        """By the ids of the traces of jobs that run."""
        self._lock = Lock()
        """Spans end in threads too, such as those of requests to the object store."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Begins to keep the spans of a job."""
        if span.attributes and JOB in span.attributes and span.context:
            with self._lock:
                self._kept[span.context.trace_id] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keeps the span of a job, or passes it on."""
        for each in self._released(span):
            self._further.on_end(each)

    def shutdown(self) -> None:
        """Ends what comes after."""
        self._further.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Sends what was passed on."""
        return self._further.force_flush(timeout_millis)

    def _released(self, span: ReadableSpan) -> list[ReadableSpan]:
        """What is to be passed on now that this span has ended."""
        assert span.context
        trace_id = span.context.trace_id
        with self._lock:
            kept = self._kept.get(trace_id)
            if kept is None:
                return [span]
            kept.append(span)
            is_job = bool(span.attributes and JOB in span.attributes)
            if not is_job and len(kept) <= MAX_HELD_SPANS:
                return []
            del self._kept[trace_id]
        return [] if is_job and _is_idle(span, kept) else kept


def _is_idle(job: ReadableSpan, spans: list[ReadableSpan]) -> bool:
    """Whether a run did nothing. One whose rows all failed did nothing, too, but some of its spans say so."""
    failed = any(span.status.status_code is StatusCode.ERROR for span in spans)
    return not failed and (job.attributes or {}).get(DONE) == 0
