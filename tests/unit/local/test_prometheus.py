"""Prometheus as a part of the local stack: what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_local import prometheus
from unora_local.layout import Layout
from unora_local.mistakes import Mistake
from unora_local.run_folder import RunFolder


def test_without_prometheus_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Mistake, match="apt-get install --no-install-recommends prometheus"):
        prometheus.program()


def test_each_process_is_a_target_with_its_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "prometheus"
    program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    made = Layout(RunFolder(tmp_path / "run"), ["identity", "streak"], replicas=2).prometheus()
    assert [each["labels"] for each in made.targets] == [
        {"context": "identity", "role": "all"},
        {"context": "streak", "role": "all"},
    ]
    addresses = [address for each in made.targets for address in each["targets"]]
    assert len(set(addresses)) == 4
