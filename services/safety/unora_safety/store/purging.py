"""How rows that are too old are deleted: a batch at a time, by the rule clock."""

from __future__ import annotations


def purge_statement(table: str, column: str) -> str:
    """SQL that deletes rows of a table whose time in `column` is longer ago than $1: the oldest first, at most $2,
    without those that another transaction has locked. The column needs an index.
    """
    # By the places of the rows, which are locked: a join by their keys would read the whole table.
    return f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table} WHERE {column} < (SELECT clock.now()) - $1::interval
            ORDER BY {column} LIMIT $2 FOR UPDATE SKIP LOCKED))"""
