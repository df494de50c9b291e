"""A bench judges a figure by its aims, its limit and the noise beside it, and compares it with the baseline."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_bench import baseline, charts, report, run
from unora_bench.figures import Figure, Group, Verdict
from unora_bench.run import Run

RATE = Figure(group=Group.CALLS, name="CheckIn", value=600, unit="calls/s", limit=1000, limit_name="L", aim_share=0.55)
TIME = Figure(group=Group.SWEEP, name="sweep at 1,000", value=50, unit="s", limit=40, limit_name="bare SQL", aim=90)


def with_(figure: Figure, **changes: object) -> Figure:
    fields = {name: getattr(figure, name) for name in Figure.__dataclass_fields__}
    return Figure(**(fields | changes))


@pytest.mark.parametrize(
    ("figure", "share"),
    [(RATE, 0.6), (TIME, 0.8), (with_(RATE, limit=None), None), (with_(TIME, value=0), None)],
)
def test_a_share_of_one_is_the_whole_limit_for_rates_and_for_times(figure: Figure, share: float | None) -> None:
    assert figure.share == share


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (RATE, Verdict.MET),
        (with_(RATE, value=500), Verdict.MISSED),
        (with_(RATE, limit=None), Verdict.MISSED),
        (with_(RATE, aim=700), Verdict.MISSED),
        (TIME, Verdict.MET),
        (with_(TIME, value=91), Verdict.MISSED),
        (with_(TIME, value=91, noise=0.5), Verdict.NOISY),
        (with_(TIME, aim=None), Verdict.NONE),
    ],
)
def test_a_figure_is_judged_by_each_of_its_aims_unless_the_machine_was_busy(figure: Figure, verdict: Verdict) -> None:
    assert figure.verdict is verdict


@pytest.fixture
def measured(tmp_path: Path) -> Run:
    done = Run(folder=tmp_path)
    done.add(RATE)
    done.add(TIME)
    done.add(with_(TIME, name="sweep at 10,000", value=500, limit=400))
    return done


def test_a_figure_that_lost_more_than_a_fifth_of_its_share_has_regressed(tmp_path: Path, measured: Run) -> None:
    file = tmp_path / "baseline.json"
    baseline.write(file, measured, keep={})
    known = baseline.read(file)
    assert report.regression(with_(RATE, value=490), known) is None
    assert report.regression(with_(RATE, value=420, limit=700), known) is None  # a slower machine
    assert report.regression(with_(RATE, value=450), known) == pytest.approx(0.25)
    assert report.regression(with_(TIME, value=80), known) == pytest.approx(0.375)
    assert report.regression(with_(RATE, value=450, noise=1), known) is None
    assert report.regression(with_(RATE, name="new", value=1), known) is None
    text = report.table(measured.figures, known) + report.summary([with_(RATE, value=450)], known)
    assert "600 calls/s | 1,000 (L) | 0.60" in text
    assert "regressed by 25%: calls: CheckIn" in text
    assert "missed: calls: CheckIn: 450 calls/s, 0.45 of the limit (aim share ≥ 0.55)" in text


def test_a_file_keeps_the_figures_of_groups_that_a_run_did_not_measure(tmp_path: Path, measured: Run) -> None:
    file = tmp_path / "bench.json"
    baseline.write(file, measured, keep={})
    again = Run(folder=tmp_path)
    again.add(with_(RATE, name="GetScreen"))
    baseline.write(file, again, keep=baseline.read(file))
    assert set(baseline.read(file)) == {"calls: GetScreen", "sweep: sweep at 1,000", "sweep: sweep at 10,000"}
    assert baseline.read(tmp_path / "none.json") == {}
    file.write_text("{}")
    with pytest.raises(ValueError, match="no file of figures"):
        baseline.read(file)


def test_charts_show_each_group_and_are_the_same_for_the_same_figures(tmp_path: Path, measured: Run) -> None:
    file = tmp_path / "bench.json"
    baseline.write(file, measured, keep={})
    figures = baseline.read_file(file).figures
    drawn = charts.draw(figures, tmp_path / "charts")
    assert [path.name for path in drawn] == ["calls-shares.svg", "sweep-by-size.svg", "sweep-shares.svg"]
    first = [path.read_bytes() for path in drawn]
    assert [path.read_bytes() for path in charts.draw(figures, tmp_path / "charts")] == first
    assert b"CheckIn: 600 calls/s" in first[0]


async def test_noise_is_what_a_floor_call_took_longer_than_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([1.0, 1.0, 1.0, 1.5])
    monkeypatch.setattr(run, "_floor", lambda: next(seconds))
    watched, found = Run(folder=tmp_path), []
    for _ in range(2):
        async with watched.watched() as noise:
            pass
        found.append(noise.value)
    assert found == [0.0, 0.5]
