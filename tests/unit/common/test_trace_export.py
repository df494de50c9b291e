"""A collector that is away: what is not sent is bounded, said once, and holds up nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from unora_common import trace
from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import Config
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_common.tracing import exporting
from unora_common.tracing.exporting import make_tracer
from unora_common.tracing.recorder import Recorder
from unora_common.tracing.start import start
from unora_common.tracing.tracing import DONE, NOT_RECORDED
from unora_local import ports
from unora_sdk.environment import ConfigError
from unora_testing.collector import collector
from unora_testing.deadlines import GENEROUS, eventually, within

NOWHERE = Path("/nowhere")
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"}


def config(endpoint: str) -> Config:
    return Config(
        database_url="",
        nats_url="",
        tls_ca=NOWHERE,
        tls_cert=NOWHERE,
        tls_key=NOWHERE,
        traces_endpoint=endpoint,
        traces_ratio=1.0,
    )


def recorder(endpoint: str, log: StringIO, metrics: Metrics) -> Recorder:
    with mock.patch.dict(os.environ, QUICK):
        return Recorder(*make_tracer("streak", config(endpoint), logger("streak", "info", log), metrics))


def work(made: Recorder, times: int) -> None:
    for _ in range(times):
        with made.job("busy") as run:
            assert run is not None
            run.note(DONE, 1)


def sent(metrics: Metrics, result: str) -> Callable[[], float]:
    return lambda: metrics.registry.get_sample_value("unora_spans_total", {"result": result}) or 0.0


def lines(log: StringIO) -> list[str]:
    return [msgspec.json.decode(line)["event"] for line in log.getvalue().splitlines()]


def test_nothing_is_recorded_without_a_collector() -> None:
    made = start("streak", config(""), logger("streak", "info", StringIO()), Metrics(COMMON_METRICS))
    assert made is NOT_RECORDED
    with made.job("any") as run:
        assert (run, trace.span()) == (None, None)
    assert made.publication("unora.streak.v1.checked_in", f"00-{'a' * 32}-{'b' * 16}-01") is None


def test_a_switched_off_sdk_contradicts_a_collector() -> None:
    with mock.patch.dict(os.environ, OTEL_SDK_DISABLED="true"), pytest.raises(ConfigError, match="OTEL_SDK_DISABLED"):
        start("streak", config("http://127.0.0.1:1"), logger("streak", "info", StringIO()), Metrics(COMMON_METRICS))


async def test_a_collector_that_is_away_is_said_once_and_that_it_is_back_too() -> None:
    log, metrics, port = StringIO(), Metrics(COMMON_METRICS), ports.free(1)[0]
    made = recorder(f"http://127.0.0.1:{port}", log, metrics)
    work(made, 10)
    await eventually(lambda: sent(metrics, "lost")() == 10, "ten spans are lost")
    work(made, 5_000)
    await eventually(lambda: sent(metrics, "lost")() == 5_010, "more than fit into the queue are")
    assert lines(log) == ["traces not sent"]
    async with collector(port) as traces:

        def back() -> bool:
            work(made, 1)
            return lines(log)[:2] == ["traces not sent", "traces not sent: over"]

        await eventually(back, "it is said")
        assert traces.spans
        await made.close()


async def test_work_goes_on_at_its_pace_and_what_waits_is_bounded_while_the_collector_is_away() -> None:
    """A port that takes connections and answers nothing: each export waits for its time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        metrics = Metrics(COMMON_METRICS)
        made = recorder(f"http://127.0.0.1:{silent.getsockname()[1]}", StringIO(), metrics)
        processor: Any = made._tracer.span_processor
        waiting = processor._span_processors[0]._further._batch_processor._queue
        waited = []
        for _ in range(100):
            work(made, 100)
            waited.append(len(waiting))
        assert 0 < max(waited) <= 2048
        await eventually(lambda: sent(metrics, "lost")() == 10_000, "what did not fit is counted, too")
        await made.close()


async def test_an_end_does_not_wait_for_a_collector_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "FLUSH_SECONDS", 0.1)
    monkeypatch.setitem(QUICK, "OTEL_EXPORTER_OTLP_TIMEOUT", str(5 * GENEROUS))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = recorder(f"http://127.0.0.1:{silent.getsockname()[1]}", StringIO(), Metrics(COMMON_METRICS))
        work(made, 1_000)
        await within(made.close())


async def test_an_exporter_that_breaks_is_counted_and_said_without_the_text() -> None:
    log, metrics = StringIO(), Metrics(COMMON_METRICS)
    with mock.patch.object(OTLPSpanExporter, "export", side_effect=RuntimeError("Secret words")):
        made = recorder("http://127.0.0.1:1", log, metrics)
        assert (sent(metrics, "sent")(), sent(metrics, "lost")()) == (0, 0)
        work(made, 3)
        await eventually(lambda: sent(metrics, "lost")() == 3, "three spans are lost")
        await made.close()
    assert lines(log) == ["traces not sent"]
    assert "RuntimeError" in log.getvalue()
    assert "Secret" not in log.getvalue()


@pytest.mark.parametrize("room", ["many", "0", "100"])
def test_a_queue_that_cannot_be_is_named(room: str) -> None:
    """It must hold a batch of 512."""
    with (
        mock.patch.dict(os.environ, OTEL_BSP_MAX_QUEUE_SIZE=room),
        pytest.raises(ConfigError, match="OTEL_BSP_MAX_QUEUE_SIZE"),
    ):
        start("streak", config("http://127.0.0.1:1"), logger("streak", "info", StringIO()), Metrics(COMMON_METRICS))


async def test_what_is_not_sent_yet_is_sent_before_the_end() -> None:
    async with collector() as traces:
        with mock.patch.dict(os.environ, OTEL_BSP_SCHEDULE_DELAY="600000"):
            made = Recorder(
                *make_tracer("streak", config(traces.endpoint), logger("streak", "info"), Metrics(COMMON_METRICS))
            )
        work(made, 3)
        assert not traces.spans
        await made.close()
        assert [span.said for span in traces.spans] == ["streak job busy"] * 3
