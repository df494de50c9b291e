"""`make bench`: measures Unora beside its limits, and says what has become worse.

Each group starts what it needs, on the settings of `make up`, and erases it afterwards; nothing else should run on the
machine meanwhile. The figures go to .run/bench.json; `make bench-record` takes them over into docs/.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import uvloop

from unora_bench import baseline, report
from unora_bench.figures import Group
from unora_bench.run import SIZES, Run
from unora_bench.stack import say

FIGURES: Final = Path(".run", "bench.json")


async def measure(run: Run, groups: list[Group]) -> list[str]:
    """Measures the groups one after the other. Returns those that failed, with the error; the others go on."""
    failed = []
    for group in groups:
        say(f"{group}:")
        try:
            await importlib.import_module(f"unora_bench.{group}").measure(run)
        except Exception as error:  # an hour of measuring must not be lost with the last group
            failed.append(f"{group}: {error!r}")
            say(f"{group} failed: {error!r}")
    return failed


def main() -> int:
    """Parses the command line, measures, prints the report. Exit status 1 if a group could not be measured."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="unora-bench-"))
    run = Run(folder=folder, members=options.members, calls=options.calls, concurrency=options.concurrency)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            failed = runner.run(measure(run, options.only))
    except KeyboardInterrupt:
        print("stopped; what was measured:", file=sys.stderr)
        failed = ["stopped"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    known = baseline.read(baseline.BASELINE)
    print(report.machine(os.cpu_count() or 0, options.calls, options.concurrency))
    print(report.table(run.figures, known))
    print(report.summary(run.figures, known))
    if run.figures:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        baseline.write(options.json, run, keep=baseline.read(options.json))
        print(f"\nfigures: {options.json}")
    print("\n".join(f"not measured: {each}" for each in failed), file=sys.stderr, end="\n" if failed else "")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m unora_bench", description=__doc__)
    parser.add_argument(
        "--only", type=_groups, default=list(Group), help=f"groups, with commas between: {', '.join(Group)}"
    )
    parser.add_argument("--members", type=_sizes, default=SIZES, help="sizes, with commas between, ascending")
    parser.add_argument("--calls", type=int, default=10_000, help="calls of each measurement of calls")
    parser.add_argument("--concurrency", type=int, default=32, help="calls at once")
    parser.add_argument("--json", type=Path, default=FIGURES, help="where the figures go")
    return parser.parse_args()


def _groups(text: str) -> list[Group]:
    return [Group(name.strip()) for name in text.split(",")]


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part.replace("_", "")) for part in text.split(","))
    if list(sizes) != sorted(set(sizes)) or sizes[0] < 1:
        raise argparse.ArgumentTypeError("sizes are ascending whole numbers")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
