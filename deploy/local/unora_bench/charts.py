"""`make bench-record`: takes the figures of .run/bench.json over into docs/, as the baseline and as charts."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure as Chart

from unora_bench.baseline import BASELINE, Known, read_file
from unora_bench.report import number

CHARTS: Final = Path("docs", "charts")
FIGURES: Final = Path(".run", "bench.json")
SIZE: Final = re.compile(r"^(?P<what>.+) at (?P<size>[\d,]+)$")
COLOUR, LIMIT_COLOUR = "#3b6ea5", "#c9c9c9"


def draw(figures: list[Known], folder: Path) -> list[Path]:
    """Draws what depends on a size over that size, and what has a limit beside it. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "unora", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})
    groups: dict[str, list[Known]] = defaultdict(list)
    for figure in figures:
        groups[figure.group].append(figure)
    files = []
    for group, members in groups.items():
        files += _over_size(group, members, folder)
        files += _shares(group, members, folder)
    return files


def _over_size(group: str, figures: list[Known], folder: Path) -> list[Path]:
    """One panel for each unit: the values over the size of the population, both on logarithmic scales."""
    series: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for figure in figures:
        found = SIZE.match(figure.name)
        if found and figure.value > 0:  # zero has no place on a logarithmic scale
            series[figure.unit][found["what"]].append((int(found["size"].replace(",", "")), figure.value))
    lines = {
        unit: {name: sorted(points) for name, points in each.items() if len(points) > 1}
        for unit, each in series.items()
    }
    lines = {unit: each for unit, each in lines.items() if each}
    if not lines:
        return []
    chart = Chart(figsize=(5.2 * len(lines), 3.4), layout="constrained")
    panels = chart.subplots(1, len(lines), squeeze=False)
    for panel, (unit, named) in zip(panels[0], lines.items(), strict=True):
        for name, points in named.items():
            panel.plot(*zip(*points, strict=True), marker="o", label=name)
        panel.set(xscale="log", yscale="log", xlabel="members", ylabel=unit, title=group)
        panel.legend(fontsize=7)
    return [_save(chart, folder / f"{group}-by-size.svg")]


def _shares(group: str, figures: list[Known], folder: Path) -> list[Path]:
    """Each figure that has a limit, as a part of it."""
    shown = [each for each in figures if each.share is not None]
    if not shown:
        return []
    chart = Chart(figsize=(7.2, 0.8 + 0.34 * len(shown)), layout="constrained")
    panel = chart.subplots()
    names = [f"{each.name}: {number(each.value)} {each.unit}" for each in shown]
    panel.barh(names, [1.0] * len(shown), color=LIMIT_COLOUR, label="the limit, measured in the same run")
    panel.barh(names, [min(each.share or 0.0, 1.0) for each in shown], color=COLOUR, label="reached")
    panel.set(xlim=(0, 1), title=f"{group}: share of the limit")
    panel.invert_yaxis()
    panel.legend(fontsize=7, loc="lower right")
    return [_save(chart, folder / f"{group}-shares.svg")]


def _save(chart: Chart, path: Path) -> Path:
    """Without the date, so that the same figures make the same file."""
    chart.savefig(path, metadata={"Date": None})
    return path


def main() -> int:
    """Draws, and stores the baseline. Exit status 1 if nothing was measured yet."""
    if not FIGURES.exists():
        print(f"there is no {FIGURES}: run `make bench` first", file=sys.stderr)
        return 1
    file = read_file(FIGURES)
    BASELINE.write_bytes(FIGURES.read_bytes())
    for path in [BASELINE, *draw(file.figures, CHARTS)]:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
