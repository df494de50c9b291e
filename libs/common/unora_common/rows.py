"""Rows and domain objects: columns are listed once per table, and mapped by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from asyncpg import Record

T = TypeVar("T")


class Columns(tuple[str, ...]):
    """The columns of one table, in one place; the lists in SELECT, INSERT and UPDATE are made from it."""

    __slots__ = ()

    def __new__(cls, *names: str) -> Columns:
        """`Columns("id", "user_id")`; two are joined by `+`."""
        return super().__new__(cls, names)

    def __add__(self, other: tuple[str, ...]) -> Columns:  # type: ignore[override]  # names only
        return Columns(*super().__add__(other))

    def names(self, alias: str = "") -> str:
        """For SELECT and INSERT: `id, user_id`, or with the alias of a table `s.id, s.user_id`."""
        return ", ".join(f"{alias}.{name}" if alias else name for name in self)

    def parameters(self, first: int = 1) -> str:
        """For VALUES: `$1, $2`, counted from `first`."""
        return ", ".join(f"${first + index}" for index in range(len(self)))

    def assignments(self, first: int = 1) -> str:
        """For UPDATE: `id = $1, user_id = $2`, counted from `first`."""
        return ", ".join(f"{name} = ${first + index}" for index, name in enumerate(self))

    def values_of(self, source: object, /, **others: object) -> list[Any]:
        """The values of an object's attributes in the order of the columns; `others` are the columns that the object
        has no attribute for, or all of them if the source is None. AttributeError if one is missing.
        """
        return [others[name] if name in others else getattr(source, name) for name in self]


def as_arrays(rows: Iterable[Iterable[object]]) -> list[list[object]]:
    """Rows as one array for each column, for `unnest`. There is at least one row."""
    return [list(column) for column in zip(*rows, strict=True)]


def from_row(kind: type[T], row: Record | Mapping[str, Any], /, **others: object) -> T:
    """A domain object (a dataclass) from the columns with the names of its fields; `others` are the
    fields that no column has the name of.

    Other columns are ignored. Text becomes an enum, an array a tuple or a frozenset, as the field's type says.
    """
    return msgspec.convert({**row, **others}, kind)
