"""Finished cycles in Postgres: they are made of check-ins, which never change (ST-04, ST-22)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from unora_common.database import Session
from unora_common.pages import Place
from unora_common.rows import as_arrays, from_row

from unora_streak.domain.check_ins import CheckIn
from unora_streak.domain.history import FinishedCycle, days_seen_by, end_of_cycle, last_finished
from unora_streak.domain.state import Streak
from unora_streak.store.check_ins import FACTS

# $1 to $3: streaks, with the last finished cycle of each, and when the streak ended. A cycle without a check-in is
# there only if the streak ended in it.
LIST = f"""
    WITH finished AS (
        SELECT * FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[]) AS f (streak_id, last_cycle, ended_at)
    ), cycles AS (
        SELECT c.streak_id, c.cycle, max(c.check_in_at) AS last_at
        FROM finished f JOIN streak.check_ins c ON c.streak_id = f.streak_id AND c.cycle <= f.last_cycle
        GROUP BY c.streak_id, c.cycle
        UNION ALL
        SELECT streak_id, last_cycle, ended_at FROM finished f WHERE ended_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM streak.check_ins c WHERE c.streak_id = f.streak_id AND c.cycle = f.last_cycle)
    ), page AS (
        SELECT * FROM cycles WHERE $4::timestamptz IS NULL OR (last_at, streak_id) < ($4, $5::uuid)
        ORDER BY last_at DESC, streak_id DESC LIMIT $6)
    SELECT p.streak_id, p.last_at, p.cycle AS finished_cycle, {FACTS.names("c")}
    FROM page p LEFT JOIN streak.check_ins c ON c.streak_id = p.streak_id AND c.cycle = p.cycle
    ORDER BY p.last_at DESC, p.streak_id DESC"""


async def list_finished(
    session: Session, streaks: Sequence[Streak], after: Place | None, limit: int
) -> list[FinishedCycle]:
    """The finished cycles of these streaks of the member, the newest first. The streaks are advanced to this moment."""
    finished = {each.id: each for each in streaks if last_finished(each)}
    if not finished:
        return []
    arrays = as_arrays((each.id, last_finished(each), each.ended_at) for each in finished.values())
    rows = await session.rows(LIST, *arrays, *(after or (None, None)), limit)
    cycles = groupby(rows, lambda row: (row["streak_id"], row["finished_cycle"], row["last_at"]))
    return [
        FinishedCycle(
            streak_id=streak_id,
            server_type=finished[streak_id].server_type,
            cycle=cycle,
            end=end_of_cycle(finished[streak_id], cycle),
            days=days_seen_by(session.user, [from_row(CheckIn, row) for row in of_cycle if row["user_id"]]),
            last_at=last_at,
        )
        for (streak_id, cycle, last_at), of_cycle in cycles
    ]


def place_of(cycle: FinishedCycle) -> Place:
    """Where a cycle stands in the list."""
    return Place(cycle.last_at, cycle.streak_id)
