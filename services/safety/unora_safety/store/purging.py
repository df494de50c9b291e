"""How rows that are too old are deleted: a batch at a time, by the rule clock."""

from __future__ import annotations


def purge_statement(table: str, column: str) -> str:
    """SQL that deletes the rows of a table of which the time in `column`, which has an index, is longer ago than $1:
    the oldest first, at most $2, and none that another transaction has locked.
    """
    # By the places of the rows, which are locked: a join by their keys would read the whole table.
    return f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table} WHERE {column} < (SELECT clock.now()) - $1::interval
            ORDER BY {column} LIMIT $2 FOR UPDATE SKIP LOCKED))"""
