"""Baselines in Postgres: how much activity is usual (SA-09)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from unora_common.database import Session, Tx
from unora_common.ids import random_id
from unora_common.rows import from_row

from unora_safety.domain.patterns import Baseline

ALL = "SELECT kind, members, median, deviation FROM safety.baselines"

LAST_MEASURED = "SELECT max(measured_at) FROM safety.baselines"

SAMPLE_ROWS: Final = 200_000
"""The most rows that each half of a measurement reads: all that a hundred thousand members do."""

# Members have random ids, so those from a random id on, and those from the lowest on, are members like all others. If
# there are fewer rows than a sample has, the two halves are all of them. The deviation is the median distance from the
# median, scaled so that it equals the standard deviation of a normal distribution.
MEASURE = """
    WITH days AS MATERIALIZED (
        (SELECT user_id, kind, count FROM safety.activity
         WHERE day > ($1::timestamptz AT TIME ZONE 'UTC')::date AND user_id >= $3 ORDER BY user_id LIMIT $4)
        UNION ALL
        (SELECT user_id, kind, count FROM safety.activity
         WHERE day > ($1::timestamptz AT TIME ZONE 'UTC')::date AND user_id < $3 ORDER BY user_id LIMIT $4)),
    totals AS (SELECT kind, ln(1 + sum(count)) AS amount FROM days GROUP BY kind, user_id),
    middle AS (
        SELECT kind, count(*) AS members, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median
        FROM totals GROUP BY kind)
    INSERT INTO safety.baselines (kind, members, median, deviation, measured_at)
    SELECT kind, m.members, m.median,
           1.4826 * percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(t.amount - m.median)), $2
    FROM totals t JOIN middle m USING (kind) GROUP BY kind, m.members, m.median ORDER BY kind
    ON CONFLICT (kind) DO UPDATE SET members = excluded.members, median = excluded.median,
        deviation = excluded.deviation, measured_at = excluded.measured_at"""


async def list_all(db: Session) -> dict[str, Baseline]:
    """The baselines, by kind of activity."""
    return {row["kind"]: from_row(Baseline, row) for row in await db.rows(ALL)}


async def measure(tx: Tx, window: timedelta, interval: timedelta, sample: int = SAMPLE_ROWS) -> int:
    """Measures the baselines over the window, if they are older than the interval; returns how many kinds. Of more than
    `sample` rows it takes a sample, so that it costs the same however many members there are.
    """
    now = await tx.read_clock()
    last_measured: datetime | None = await tx.value(LAST_MEASURED)
    if last_measured is not None and now - last_measured < interval:
        return 0
    return await tx.run(MEASURE, now - window, now, random_id(), sample)
