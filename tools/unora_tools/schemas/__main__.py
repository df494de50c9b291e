"""Checks the migrations since the recorded release, or with `record` records the last commit as the release.

Two things are checked: squawk's rules, of statements that would hold up a running service; and that the recorded
release goes on with today's schema, as far as declarations and statements show it. What they do not show, a person
judges, and says why in deploy/upgrade/judged.toml. `make upgrade` runs that release on today's schema.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib

from unora_common import migrations
from unora_common.config import CONTEXTS
from unora_local.run_folder import CLONE

from unora_tools.schemas import compared, described, statements
from unora_tools.schemas.recorded import FROM, JUDGED, SCHEMAS


def faults() -> list[str]:
    """What is wrong, each in one line."""
    recorded, judged = json.loads(SCHEMAS.read_text()), tomllib.loads(JUDGED.read_text())
    found, seen = [], set[str]()
    for context in CONTEXTS:
        found += statements.lint(migrations.sql(context)).splitlines()
        before = recorded[context]
        for each in (
            *compared.findings(context, before, described.context(context)),
            *statements.hidden(context, before["migration"]),
        ):
            seen.add(each)
            if not judged.get(each):
                found.append(
                    f"{each}: the recorded release may not go on. Expand first (docs/rollouts.md), or judge it"
                )
    found += [f"{JUDGED.name} judges what no migration does: {each}" for each in judged if each not in seen]
    return found


def record() -> None:
    """Write down the last commit and its schemas. Raises SystemExit if the tables are not those of a commit."""
    changed = _git("status", "--porcelain", "--", "services", "libs/common")
    if changed:
        raise SystemExit(f"commit first, since the record names the last commit:\n{changed}")
    FROM.write_text(_git("rev-parse", "HEAD") + "\n")
    SCHEMAS.write_text(described.written(CONTEXTS))
    JUDGED.write_text("# What migrations since the release in `from` do, and why that release goes on all the same.\n")


def _git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(CLONE), *words], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m unora_tools.schemas", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=("check", "record"), default="check")
    if parser.parse_args().command == "record":
        record()
    elif wrong := faults():
        sys.exit("\n".join(wrong))
