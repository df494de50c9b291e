"""The report: a table in Markdown, as docs/measurements.md keeps it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Final

from unora_attack.figures import Kind
from unora_attack.orders import Tally
from unora_attack.row import Row, deadlines

HEAD: Final = (
    "attack",
    "answered in time",
    "between contexts",
    "photos",
    "normal after",
    "peak memory, of limit",
    "what the attacker got",
    "as aimed",
)
OUTCOMES_SHOWN: Final = 4


def report(rows: Sequence[Row], seconds: float) -> str:
    """All rows, and what is not as aimed below them."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {seconds:.0f} s in all"
    lines = [
        f"{machine}; deadline of calls {deadlines()}",
        "",
        _line(HEAD),
        _line(["---"] * len(HEAD)),
        *(_line(_cells(row)) for row in rows),
    ]
    faults = [f"- {row.attack.title}: {fault}" for row in rows for fault in row.faults]
    return "\n".join([*lines, "", *(["Not as aimed:", "", *faults] if faults else ["All as aimed."])])


def outcomes(tally: Tally) -> str:
    """What the attacker got, the most frequent first."""
    often = sorted(tally.outcomes.items(), key=lambda item: -item[1])[:OUTCOMES_SHOWN]
    shares = ", ".join(f"{_reason(outcome)} {percent(number / tally.made)}" for outcome, number in often)
    return f"{tally.made}: {shares}" if often else ""


def percent(share: float) -> str:
    """A share; 100 % only if it is whole."""
    if share == 1:
        return "100 %"
    return f"{min(share * 100, 99.9):.1f} %" if share > 0.9 else f"{share * 100:.0f} %"


def _reason(outcome: str) -> str:
    """The reason alone, if there is one."""
    status, _, reason = outcome.partition(" ")
    return reason if reason.isupper() and status.isupper() else outcome


def _cells(row: Row) -> list[str]:
    refused = f"refused in {row.played.tally.refused_p50_ms:.0f} ms (median)" if row.played.tally.refused_p50_ms else ""
    got = "; ".join(filter(None, (outcomes(row.played.tally), refused, row.played.note)))
    return [
        row.attack.title,
        *(percent(share) if (share := row.shares[kind]) is not None else "" for kind in Kind),
        "never" if row.seen.until_normal is None else f"{row.seen.until_normal:.1f} s",
        f"{row.attack.process} {row.seen.peak:.0f} of {row.seen.limit:.0f} MiB",
        got,
        "no" if row.faults else "yes",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
