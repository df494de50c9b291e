"""Rows and columns in which a context keeps a copy of another's facts, as a rebuild compares and repairs them (XX-08).

A store declares a Copy beside the SQL that its consumer uses; `rebuilding.py` runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from unora_common.database import Session, Tx

Key = tuple[Any, ...]
"""The columns of a row's key. The first one is an id, and lists are read in its order."""
Facts = tuple[Any, ...]
DELETE: Final = "DELETE"
"""Instead of a SET clause: the row goes."""


class _Anything:
    """Equals any stored value: for a fact that the owner does not tell."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]  # nothing is looked up by it


ANYTHING: Final = _Anything()


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it was read."""

    key: Key
    mark: str
    """Changes with each change of the row."""
    version: int
    facts: Facts


class Copy:
    """Rows of one table, by their key: columns, each an id, or with another type after its name. `facts` are SQL
    expressions: what the rows say of the owner's facts.
    """

    def __init__(
        self,
        table: str,
        key: Sequence[str],
        facts: Sequence[str],
        *,
        version: str = "0",
        where: str = "true",
        forget: str = "",
        vanish: str = "",
        release: str = "",
    ) -> None:
        """`version` is the column of the owner's version, if there is one. `forget` is a SET clause, or DELETE, after
        which the row takes any version that the owner tells. `vanish` is the same for a row that the owner does not
        know. Without them such rows stay as they are. `release` is a SET clause for rows that a trigger holds: before
        DELETE.
        """
        named = [each.split() for each in key]
        key = [name for name, *_ in named]
        first = key[0]
        says = "".join(f", {expression} AS f{number}" for number, expression in enumerate(facts))
        self._key, self._facts = tuple(key), [f"f{number}" for number in range(len(facts))]
        self._read = f"""
            SELECT {", ".join(f"t.{name}" for name in key)}, t.xmin::text AS mark, {version}::bigint AS version{says}
            FROM {table} t WHERE t.{first} > $1 AND {where} ORDER BY t.{first} FETCH FIRST $2 ROWS WITH TIES"""
        names = ", ".join([*key, "mark"])
        types = [kind[0] if kind else "uuid" for _, *kind in named]
        arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
        same = " AND ".join([*(f"t.{name} = w.{name}" for name in key), "t.xmin::text = w.mark"])
        rows = f"unnest({arrays}, ${len(key) + 1}::text[]) AS w ({names})"
        self._forget, self._vanish = (_change(table, change, rows, same, release) for change in (forget, vanish))
        versions = f"unnest({arrays}, ${len(key) + 1}::text[], ${len(key) + 2}::bigint[]) AS w ({names}, version)"
        self._raise = (
            ""
            if version == "0"
            else f"UPDATE {table} t SET {version} = w.version FROM {versions} WHERE {same} AND t.{version} < w.version"
        )

    async def read(self, session: Session, after: UUID, limit: int) -> list[Stored]:
        """The rows after this first id, in the order of first ids: about `limit`, with all that share the last one's
        first id.
        """
        return [
            Stored(
                tuple(row[name] for name in self._key),
                row["mark"],
                row["version"],
                tuple(row[name] for name in self._facts),
            )
            for row in await session.rows(self._read, after, limit)
        ]

    async def forget(self, tx: Tx, rows: Sequence[Stored]) -> int:
        """Lets what the owner tells be news for these rows. Returns how many of them have changed since they were read,
        and were left alone.
        """
        return await _run(tx, self._forget, rows)

    async def vanish(self, tx: Tx, rows: Sequence[Stored]) -> int:
        """Removes what these rows say: the owner knows nothing of it. Returns the same as `forget`."""
        return await _run(tx, self._vanish, rows)

    async def raise_versions(self, tx: Tx, rows: Sequence[tuple[Stored, int]]) -> None:
        """Stores that rows say what is still true at these versions."""
        if rows and self._raise:
            await tx.run(self._raise, *_arrays(each for each, _ in rows), [version for _, version in rows])


def _change(table: str, change: str, rows: str, same: str, release: str) -> tuple[str, ...]:
    """The statements of a change; the first one finds the rows that have not changed since they were read."""
    if not change:
        return ()
    if change != DELETE:
        return (f"UPDATE {table} t SET {change} FROM {rows} WHERE {same}",)
    if not release:
        return (f"DELETE FROM {table} t USING {rows} WHERE {same}",)
    released = same.replace("t.xmin::text = w.mark", "t.xmin = pg_current_xact_id()::xid")
    return (
        f"UPDATE {table} t SET {release} FROM {rows} WHERE {same}",
        f"DELETE FROM {table} t USING {rows} WHERE {released}",
    )


def _arrays(rows: Iterable[Stored]) -> list[list[Any]]:
    return [list(column) for column in zip(*((*each.key, each.mark) for each in rows), strict=True)]


async def _run(tx: Tx, statements: Sequence[str], rows: Sequence[Stored]) -> int:
    if not rows or not statements:
        return 0
    arrays = _arrays(rows)
    changed = [await tx.run(sql, *arrays) for sql in statements]
    return len(rows) - changed[0]
