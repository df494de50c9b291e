"""Ports of a stack: what is said when there is none to have."""

from __future__ import annotations

import json
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
