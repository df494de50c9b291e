"""How the statements of a day are written: `{at}` is its time, `{day}` its number, other names are assumptions."""

from __future__ import annotations

from typing import Final

AT: Final = "(SELECT at FROM simulated.today)"
DAY: Final = "(SELECT day FROM simulated.today)"
COUNT: Final = "(SELECT count(*)::int FROM simulated.members)"
NOISE: Final = "sha256(gen_random_uuid()::text::bytea)"
"""32 bytes that no compression makes smaller."""


def event(context: str, name: str, size: int, rows: str, *, members: int = 1) -> str:
    """An event for each row, whose first column is the aggregate: `size` bytes, with ids of so many `members`."""
    return f"""
        INSERT INTO simulated.events (context, subject, aggregate_id, size, members)
        SELECT '{context}', 'unora.{context}.v1.{name}', e.id, {size}, {members} FROM ({rows}) AS e (id)"""


def kept(context: str, method: str, size: int, rows: str) -> str:
    """A kept answer of `size` bytes for each row, whose first column is the caller (BI-08)."""
    return f"""
        INSERT INTO {context}.kept_answers (caller, method, request_id, request_hash, answer, kept_at)
        SELECT 'user:' || k.id, '/unora.{context}.v1.{method}', gen_random_uuid(), {NOISE},
            decode(left(repeat(md5(k.id::text), {size} / 16 + 1), {size} * 2), 'hex'), {AT}
        FROM ({rows}) AS k (id)"""
