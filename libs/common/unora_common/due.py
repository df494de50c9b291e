"""What a job has left to do: how many rows are due, and since when."""

from __future__ import annotations

from typing import Final, NamedTuple

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Session

MACHINE_CLOCK: Final = "(SELECT clock_timestamp())"
"""For `due_sql`: what is due by the machine's clock, not by that of the rules."""


class Due(NamedTuple):
    """What is due now."""

    rows: int
    """Up to COUNT_LIMIT."""
    oldest_seconds: float | None
    """How long the oldest has been due; 0 if nothing is, None if that is not known."""


def due_sql(rows: str, since: str, now: str = "(SELECT clock.now())") -> str:
    """The statement for `find_due`. `rows` is what follows FROM: a table, with the other conditions by which a row is
    due. `since` is the expression of the time from which on each is due, which an index should have; `now` is the
    clock.
    """
    joint = "AND" if " WHERE " in f" {' '.join(rows.split())} " else "WHERE"
    return f"""
        SELECT count(*) AS due, coalesce(extract(epoch FROM {now} - min(since)), 0)::float8 AS seconds
        FROM (SELECT {since} AS since FROM {rows} {joint} {since} <= {now} ORDER BY 1 LIMIT {COUNT_LIMIT}) AS due"""


async def find_due(db: Session, sql: str, *arguments: object) -> Due:
    """What is due."""
    (row,) = await db.rows(sql, *arguments)
    return Due(row["due"], max(row["seconds"], 0.0))
