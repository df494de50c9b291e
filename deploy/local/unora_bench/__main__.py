"""`make bench`: what members call most, through the full stack, each beside its limit, in one run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from unora_bench import calls
from unora_bench.figures import Figure
from unora_bench.run import Run


def report(run: Run) -> str:
    """The figures as a Markdown table, as docs/measurements.md keeps them, and the notes."""
    lines = [
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {run.calls} calls, {run.concurrency} at once",
        "",
        "| | | limit | of it | noise | |",
        "|---|---|---|---|---|---|",
        *map(_row, run.figures),
    ]
    for title, values in run.notes.items():
        lines += ["", f"{title}:", *(f"- {name}: {_number(value)}" for name, value in values.items())]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    limit = f"{figure.limit:.0f}" if figure.limit else ""
    share = f"{figure.share:.2f}" if figure.share else ""
    value = f"{figure.value:.1f}{figure.unit}" if figure.unit == "ms" else f"{figure.value:.0f}{figure.unit}"
    return f"| {figure.name} | {value} | {limit} | {share} | {figure.noise:.2f} | {figure.verdict} |"


def _number(value: Any) -> str:
    return f"{value:.0%}" if value < 1 else f"{value:.0f}"


def main() -> None:
    """Parses the command line, measures, prints the report, and leaves the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m unora_bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of each measurement")
    parser.add_argument("--concurrency", type=int, default=32, help="calls at once")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="unora-bench-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        run = Run(folder=Path(folder), calls=options.calls, concurrency=options.concurrency)
        runner.run(calls.measure(run))
    print(report(run))
    if options.json:
        options.json.write_text(json.dumps({figure.name: figure.value for figure in run.figures}, indent=1))


if __name__ == "__main__":
    main()
