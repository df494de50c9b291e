"""The port for metrics: it answers, and connections that say nothing cannot keep it from that (XX-06)."""

from __future__ import annotations

import socket
import urllib.request
from contextlib import ExitStack

import pytest
from unora_common import metrics_server
from unora_common.common_metrics import COMMON_METRICS
from unora_common.logs import logger
from unora_common.metrics import Metrics
from unora_common.metrics_server import serve_metrics
from unora_testing.deadlines import GENEROUS, wait_until


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(metrics_server._Handler, "timeout", 0.2)
    return serve_metrics(Metrics(COMMON_METRICS).registry, "127.0.0.1:0", logger("streak", "info"))


def scrape(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=GENEROUS) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def said(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1)
    except ConnectionError:
        return b""


def test_a_scrape_is_answered(port: int) -> None:
    assert "unora_rpc_duration_seconds" in scrape(port)


@pytest.mark.rule("XX-06")
def test_silent_connections_are_cut_and_scrapes_are_answered_again(port: int) -> None:
    with ExitStack() as stack:
        connect = socket.create_connection
        silent = [stack.enter_context(connect(("127.0.0.1", port), timeout=GENEROUS)) for _ in range(100)]
        assert {said(each) for each in silent} == {b""}
    assert wait_until(lambda: scrape(port), lambda: "a scrape is answered after silent connections")
