"""Ports of a stack: what is said when there is none to have."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from unora_common.config import CONTEXTS
from unora_local import ports
from unora_local.layout import Layout
from unora_local.mistakes import Mistake
from unora_local.ports import LIMIT, MOST_SHIFT, SHIFT, Ports
from unora_local.run_folder import RunFolder


@pytest.mark.parametrize("shift", ["ten", "-5", "1.5", str(MOST_SHIFT + 1), "9" * 5000])
def test_a_shift_that_cannot_be_is_refused_by_its_name_with_what_can(
    shift: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHIFT, shift)
    with pytest.raises(Mistake, match=rf"^{SHIFT} is .*: give a whole number from 0 to {MOST_SHIFT}"):
        Ports(tmp_path / "ports.json")


def test_the_largest_shift_leaves_each_part_its_usual_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHIFT, str(MOST_SHIFT))
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert Layout(RunFolder(tmp_path), CONTEXTS).moved == []
    taken = json.loads((tmp_path / "ports.json").read_text()).values()
    assert max(taken) < LIMIT


def test_no_port_beyond_those_of_the_kernel_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port >= LIMIT)
    with pytest.raises(Mistake, match="no port is free for postgres"):
        Ports(tmp_path / "ports.json").take("postgres", 1)


def test_what_one_process_drew_no_other_draws_before_a_server_listens_on_it() -> None:
    """Two workers of a test run draw at the same moment, and their servers start later."""
    mine = set(ports.free(20))
    assert len(mine) == 20
    others = "from unora_local import ports; ports.LOWEST, ports.LIMIT = {0}, {1}; print(*ports.free({2}))"
    low, high = min(mine), max(mine) + 1
    half = sum(map(ports.is_free, range(low, high))) // 2
    asked = [sys.executable, "-c", others.format(low, high, half)]
    drawn = {int(port) for port in subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()}
    assert drawn
    assert not mine & drawn
    for port in mine:
        with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(server.getsockname()):
            assert not ports.is_free(port)


def test_a_process_gives_back_what_it_drew_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "MOST_CLAIMS", 3)
    monkeypatch.setattr(ports, "_claims", type(ports._claims)())
    first, *later = ports.free(4)
    with socket.socket() as another:
        another.bind(("127.0.0.1", first))
    for port in later:
        with socket.socket() as another, pytest.raises(OSError, match="in use"):
            another.bind(("127.0.0.1", port))
