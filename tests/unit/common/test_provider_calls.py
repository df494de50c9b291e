"""Requests to providers: each is measured, and is a span that says neither path nor text (XX-01)."""

from __future__ import annotations

import ast
import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from unora_common.common_metrics import COMMON_METRICS
from unora_common.metrics import Metrics
from unora_common.provider_calls import OUTCOMES, ProviderCalls
from unora_common.tracing.recorder import Recorder

ADDRESS: Final = "https://quixley:secret@api.example.org/v1/accounts/AC7?name=Quixley#x"
SERVICES: Final = Path(__file__).parents[3] / "services"
CLIENTS: Final = frozenset(
    {"httpx", "urllib.request", "http.client", "requests", "aiohttp", "boto3", "openai", "stripe"}
)
"""Libraries by which a service could make a request."""

ALONE: Final = {"stripe_library.py": frozenset({"stripe"})}
"""What a module imports and makes no requests by."""


class Case:
    """The calls to one provider, and what was recorded of them."""

    def __init__(self) -> None:
        self.metrics, self.exporter = Metrics(COMMON_METRICS), InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        tracer: Any = provider.get_tracer("test")
        self.recorder = Recorder(tracer, lambda: asyncio.sleep(0))
        self.calls = ProviderCalls("stripe", self.metrics)

    def ask(self, status: int, error: BaseException | None = None) -> None:
        """One request, in a job that is recorded."""
        with self.recorder.job("pay"), self.calls.call("POST", ADDRESS) as call:
            if status:
                call.answered(status)
            if error:
                raise error

    def span(self) -> ReadableSpan:
        (span,) = (each for each in self.exporter.get_finished_spans() if each.kind is SpanKind.CLIENT)
        return span

    def counted(self) -> dict[str, float | None]:
        name, value = "unora_provider_call_duration_seconds_count", self.metrics.registry.get_sample_value
        return {each: value(name, {"provider": "stripe", "outcome": each}) for each in OUTCOMES}


def test_an_answer_is_measured_and_a_span_that_says_method_host_and_status_alone() -> None:
    case = Case()
    case.ask(201)
    span = case.span()
    assert (span.name, span.status.status_code) == ("POST", StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "api.example.org",
        "server.port": 443,
        "http.response.status_code": 201,
        "unora.provider": "stripe",
    }
    assert case.counted() == {"ok": 1, "refused": 0, "failed": 0}


@pytest.mark.parametrize(
    ("status", "error", "said", "outcome"),
    [
        (404, None, "404", "refused"),
        (404, ValueError("Quixley"), "404", "refused"),
        (503, None, "503", "failed"),
        (0, TimeoutError("Quixley"), "TimeoutError", "failed"),
        (200, ValueError("Quixley"), "ValueError", "failed"),
        (0, asyncio.CancelledError(), "CancelledError", "failed"),
    ],
)
def test_what_went_wrong_is_named_and_no_text_of_it_is_said(
    status: int, error: BaseException | None, said: str, outcome: str
) -> None:
    case = Case()
    with pytest.raises(type(error)) if error else nullcontext():
        case.ask(status, error)
    span = case.span()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.attributes
    assert (span.attributes["error.type"], span.events) == (said, ())
    assert span.attributes.get("http.response.status_code", 0) == status
    assert case.counted() == {each: float(each == outcome) for each in OUTCOMES}


def test_what_is_not_recorded_is_measured_all_the_same() -> None:
    case = Case()
    with case.calls.call("GET", "http://127.0.0.1:9000/bucket/key") as call:
        call.answered(200)
    assert case.counted() == {"ok": 1, "refused": 0, "failed": 0}
    assert not case.exporter.get_finished_spans()


async def test_a_request_in_a_thread_is_below_the_work_that_waits_for_it() -> None:
    case = Case()

    def ask() -> None:
        with case.calls.call("GET", "http://127.0.0.1:9000") as call:
            call.answered(200)

    with case.recorder.job("look"):
        await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(3)))
    *requests, job = case.exporter.get_finished_spans()
    assert [each.parent and each.parent.span_id for each in requests] == [job.context and job.context.span_id] * 3


def test_each_module_that_could_make_requests_has_them_measured() -> None:
    """So that a new provider is not forgotten."""
    makes = {module: imports(module) for module in SERVICES.glob("*/unora_*/**/*.py")}
    able = {module: found for module, found in makes.items() if found & CLIENTS - ALONE.get(module.name, frozenset())}
    assert len(able) >= 6, "the search finds what there is"
    for module, found in able.items():
        assert "unora_common.provider_calls" in found, (
            f"{module} uses {found & CLIENTS}: put its requests into a block of ProviderCalls.call"
        )


def imports(module: Path) -> set[str]:
    """What a module imports, by the full names."""
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
