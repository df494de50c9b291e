"""Spans of a job that end in threads, as requests to the object store do: none is lost and none is in the way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any, Final

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import set_span_in_context
from unora_common.tracing.idle_jobs import MAX_HELD_SPANS, WithoutIdleJobs
from unora_common.tracing.tracing import DONE, JOB

THREADS: Final = 8
EACH: Final = MAX_HELD_SPANS // 2


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns as often as Python allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often_switched")
def test_spans_that_end_in_threads_of_a_job_are_all_passed_on_once() -> None:
    exporter, errors = InMemorySpanExporter(), list[BaseException]()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(WithoutIdleJobs(SimpleSpanProcessor(exporter)))
    tracer: Any = provider.get_tracer("test")

    def work(job: Any) -> None:
        try:
            for _ in range(EACH):
                tracer.start_span("PUT", set_span_in_context(job)).end()
        except BaseException as error:
            errors.append(error)

    for _ in range(5):
        job = tracer.start_span("job delete", attributes={JOB: "delete"})
        threads = [Thread(target=work, args=(job,)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        job.set_attribute(DONE, 1)
        job.end()
        ids = [span.context.span_id for span in exporter.get_finished_spans() if span.context]
        exporter.clear()
        assert not errors
        assert len(set(ids)) == len(ids) == THREADS * EACH + 1
