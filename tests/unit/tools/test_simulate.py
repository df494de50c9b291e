"""`make simulate` runs for an hour, in the background too: whoever stops it gets what was measured until then."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from unora_simulate import __main__ as command
from unora_simulate.report import Growth, Run
from unora_simulate.simulation import Step
from unora_simulate.sizes import Size

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def in_the_background() -> Iterator[None]:
    """As a shell starts a command with `&`: it ignores Ctrl-C."""
    before = {each: signal.getsignal(each) for each in SIGNALS}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize(
    ("rows", "growth"),
    [
        ([900, 500, 480, 510, 490, 505], Growth.BOUNDED),  # many at first, then up and down
        ([900, 500, 520, 540, 560, 580], Growth.GROWS),
        ([100, 200, 250, 255, 256, 256], Growth.BOUNDED),
    ],
)
def test_a_table_is_bounded_if_it_has_no_more_rows_than_in_the_months_before(rows: list[int], growth: Growth) -> None:
    steps = [Step(30 * n, 1, 0, 0, 0, 1.0, {"t": Size(count, 0)}) for n, count in enumerate(rows, start=1)]
    assert Run(1, 180, steps).growth("t") is growth


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_that_is_stopped_reports_what_it_measured(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stopped(members: int, days: int, others: list[int], runs: list[Run]) -> None:
        runs.append(Run(members, 1, [Step(1, members, 5, 0, 1000, 1.0, {})]))
        os.kill(os.getpid(), number)
        await asyncio.sleep(60)

    monkeypatch.setattr(command, "simulate", stopped)
    file = tmp_path / "figures.json"
    assert command.main(["--members", "100", "--days", "9", "--json", str(file)]) == 130
    assert "| 1 | 100 | 5 |" in capsys.readouterr().out
    assert file.exists()
