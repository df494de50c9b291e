"""What is counted of streaks for the metrics, at a cost that does not grow with them."""

from __future__ import annotations

from unora_common.database import Session
from unora_common.due import Due, due_sql, find_due

from unora_streak.metrics import SAMPLED_PAGES

DUE = due_sql("streak.streaks", "next_due_at")

# The table has the streaks of many years. It has no index of the streaks that go on, because each check-in would have
# to update it. The sample has the same pages each time, if the table still has them, so a change of the estimate is a
# change of streaks.
COUNT_BY_STATE = """
    WITH share AS (
        SELECT least(
            100, 100.0 * $1::int * current_setting('block_size')::int / greatest(pg_relation_size('streak.streaks'), 1)
        )::float4 AS percent)
    SELECT streak_state, round(count(*) * 100 / (SELECT percent FROM share))::bigint AS streaks
    FROM streak.streaks TABLESAMPLE SYSTEM ((SELECT percent FROM share)) REPEATABLE (0)
    WHERE ended_at IS NULL AND deleted_at IS NULL GROUP BY streak_state"""


async def count_due(session: Session) -> Due:
    """The streaks that the sweep has to advance (ST-16)."""
    return await find_due(session, DUE)


async def count_by_state(session: Session, pages: int = SAMPLED_PAGES) -> dict[str, int]:
    """How many streaks go on, by state. It is an estimate by a sample of `pages` if the table has more of them."""
    return {row["streak_state"]: row["streaks"] for row in await session.rows(COUNT_BY_STATE, pages)}
