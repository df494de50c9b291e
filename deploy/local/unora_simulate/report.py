"""The report of a simulation: days, tables, and what a year would take where fewer days were played."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from unora_simulate.simulation import Step
from unora_simulate.sizes import Size

TOP: Final = 16
"""Tables that the report lists one by one."""
YEAR: Final = 365
SMALL: Final = 1 << 20
"""Bytes. A smaller table says nothing of what a row takes."""
JUDGED_FROM: Final = 120
"""Days of a run from which on growth is judged: cards stay for 90."""
GROWTH_LIMIT: Final = 1.03
"""A table with at most this times the rows per member that it had a month ago or earlier has its bound."""


class Growth(StrEnum):
    """Whether a table goes on growing."""

    BOUNDED = "bounded"
    GROWS = "grows"
    UNKNOWN = ""
    """Too few days were played."""


@dataclass(frozen=True, slots=True)
class Run:
    """One size, and the steps that were measured."""

    members: int
    days: int
    steps: Sequence[Step]

    @property
    def last(self) -> Step:
        """The last step."""
        return self.steps[-1]

    def at(self, day: int) -> Step | None:
        """The step of this day, if it was measured."""
        return next((step for step in self.steps if step.day == day), None)

    def growth(self, table: str) -> Growth:
        """Whether a table still grows per member at the end of the run, by its rows."""
        last = self.last
        if last.day < JUDGED_FROM:
            return Growth.UNKNOWN
        now = last.tables[table].rows / last.members
        # The first weeks hold what all members did as they joined. Of the steps since then the highest counts: in a
        # small run the number of events goes up and down.
        before = [step for step in self.steps if max(last.day - 120, 60) <= step.day <= last.day - 30]
        then = max((step.tables[table].rows / step.members for step in before), default=math.inf)
        return Growth.BOUNDED if now <= then * GROWTH_LIMIT else Growth.GROWS


def measured_days(days: int, others: Sequence[int] = ()) -> list[int]:
    """The days at whose ends a run is measured: about a dozen, the last, and the last days of other runs."""
    each = max(days // 12, 1)
    return sorted({*range(each, days + 1, each), days, max(days - 30, 1), *(day for day in others if day <= days)})


def year_of(run: Run, longest: Run) -> dict[str, int]:
    """Bytes of each table after a year at the size of `run`: extrapolated with the growth of `longest`, which played a
    year with fewer members, and corrected by what a member took in both on the last day of `run`.
    """
    same_day = longest.at(run.last.day)
    year = {}
    for table, size in longest.last.tables.items():
        factor = 1.0
        if same_day and size.bytes > SMALL and (there := same_day.tables[table].bytes) > SMALL:
            factor = (run.last.tables[table].bytes / run.last.members) / (there / same_day.members)
        year[table] = round(size.bytes / longest.last.members * run.last.members * factor)
    return year


def report(runs: Sequence[Run]) -> str:
    """All of it, as Markdown."""
    lines = [line for run in runs for line in (*_days(run), "", *_tables(run), "")]
    longest = max(runs, key=lambda run: run.days)
    if longest.days >= YEAR and len(runs) > 1:
        lines += _years(runs, longest)
    return "\n".join(lines).rstrip()


def as_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The same as data."""
    return [asdict(run) for run in runs]


def _days(run: Run) -> list[str]:
    head = [f"{run.members:,} members, {run.days} days", ""]
    head += ["| day | members | events | rows deleted | WAL | all tables | seconds |", "|---|---|---|---|---|---|---|"]
    return head + [
        f"| {step.day} | {step.members:,} | {step.events:,} | {step.deleted:,} | {_size(step.wal)} "
        f"| {_size(step.bytes)} | {step.seconds:.0f} |"
        for step in run.steps
    ]


def _tables(run: Run) -> list[str]:
    last = run.last
    largest = sorted(last.tables, key=lambda name: -last.tables[name].bytes)[:TOP]
    lines = [f"| table on day {last.day} | rows | bytes | bytes per member | |", "|---|---|---|---|---|"]
    for name in largest:
        size = last.tables[name]
        lines.append(_line(name, size, last.members, run.growth(name)))
    rest = [last.tables[name] for name in last.tables if name not in largest]
    others = Size(sum(each.rows for each in rest), sum(each.bytes for each in rest))
    return [*lines, _line(f"{len(rest)} others", others, last.members, "")]


def _line(name: str, size: Size, members: int, growth: str) -> str:
    return f"| {name} | {size.rows:,} | {_size(size.bytes)} | {size.bytes / members:,.0f} | {growth} |"


def _years(runs: Sequence[Run], longest: Run) -> list[str]:
    lines = ["| members | all tables after a year | bytes per member | |", "|---|---|---|---|"]
    for run in runs:
        total, note = sum(year_of(run, longest).values()), f"**extrapolated** from {run.days} days"
        if run.days >= YEAR:
            total, note = run.last.bytes, "simulated"
        lines.append(f"| {run.last.members:,} | {_size(total)} | {total / run.last.members:,.0f} | {note} |")
    return lines


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
