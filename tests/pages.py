"""Pages whose commands a test runs: the blocks of `sh`, and what the page shows of what they print."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY: Final = "…"
"""Stands on a page for what differs each time."""


@dataclass(frozen=True)
class Step:
    """Commands, and what the page shows of their output: its kind (`json`, `text`) and the text, if it shows some."""

    commands: str
    kind: str = ""
    shown: str = ""


def steps(page: str) -> list[Step]:
    """The commands of a page in order. An output stands right after its commands; more than one is a mistake."""
    found: list[Step] = []
    for kind, text in BLOCK.findall(page):
        if kind == "sh":
            found.append(Step(text))
        elif kind in ("json", "text"):
            assert [step.kind for step in found[-1:]] == [""], f"of which commands is this the output?\n{text}"
            found[-1] = Step(found[-1].commands, kind, text)
    return found


def section(page: Path, title: str) -> str:
    """The part of a page under a title."""
    _, found, rest = page.read_text().partition(f"\n## {title}\n")
    assert found, f"{page.name} has no section {title}"
    return rest.partition("\n## ")[0]


def script(parts: Sequence[Step], mark: str) -> str:
    """For bash: all commands in one shell that ends at the first one that fails, and before each step its mark. What
    the page starts in the background ends with it.
    """
    marked = (f"printf '\\n%s %d\\n' '{mark}' {at}\n{step.commands}" for at, step in enumerate(parts))
    return "\n".join(("set -e -o pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", *marked))


def outputs(printed: str, mark: str) -> list[str]:
    """What each step printed, of all that such a script did."""
    return re.split(rf"^{re.escape(mark)} \d+\n", printed, flags=re.MULTILINE)[1:]


def differs(step: Step, printed: str) -> str:
    """In which way the output is another one than the page shows; empty if it fits."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    if step.kind == "text":
        rest = iter(lines)
        return next(
            (line for line in step.shown.splitlines() if not any(fits(line.strip(), each) for each in rest)), ""
        )
    if step.kind == "json":
        return _differs(json.loads(step.shown), json.loads(lines[-1]), "")
    return ""


def fits(shown: str, came: str) -> bool:
    """Whether a text is the one of the page, where anything may stand for `…`."""
    return re.fullmatch(".*".join(re.escape(part) for part in shown.split(ANY)), came, re.DOTALL) is not None


def _differs(shown: Any, came: Any, path: str) -> str:
    """A page may leave out fields of an object, and the end of a list; an empty list is empty."""
    if isinstance(shown, dict) and isinstance(came, dict):
        missing = [name for name in shown if name not in came]
        if missing:
            return f"{path}: there is no {', '.join(missing)} in {came}"
        return "".join(_differs(value, came[name], f"{path}.{name}") for name, value in shown.items())
    if isinstance(shown, list) and isinstance(came, list):
        if len(came) < len(shown) or bool(came) != bool(shown):
            return f"{path}: {came}"
        return "".join(_differs(each, came[at], f"{path}[{at}]") for at, each in enumerate(shown))
    if isinstance(shown, str) and isinstance(came, str):
        return "" if fits(shown, came) else f"{path}: {came!r}, not {shown!r}"
    return "" if (type(shown), shown) == (type(came), came) else f"{path}: {came!r}, not {shown!r}"
