"""Ports of a stack: what is said when there is none to have."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_local.mistakes import Mistake
from unora_local.ports import LIMIT, SHIFT, Ports


@pytest.mark.parametrize("shift", ["ten", "-5", "1.5"])
def test_a_shift_that_is_no_number_is_refused_by_its_name(
    shift: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHIFT, shift)
    with pytest.raises(Mistake, match=SHIFT):
        Ports(tmp_path / "ports.json")


def test_no_port_beyond_those_of_the_kernel_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHIFT, str(LIMIT))
    with pytest.raises(Mistake, match="no port is free for postgres"):
        Ports(tmp_path / "ports.json").take("postgres", 1)
