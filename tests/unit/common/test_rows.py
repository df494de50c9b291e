"""Rows and domain objects: columns are named once, and mapped by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import msgspec
import pytest
from unora_common.rows import Columns, from_row

COLUMNS = Columns("id", "colour")


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Shape:
    id: UUID
    colour: Colour
    corners: frozenset[int]

    @property
    def size(self) -> int:
        return len(self.corners)


ID = UUID(int=7)
SHAPE = Shape(ID, Colour.RED, frozenset({1, 2}))


def test_the_lists_of_a_statement_come_from_one_list_of_columns() -> None:
    assert COLUMNS.names() == "id, colour"
    assert COLUMNS.names("s") == "s.id, s.colour"
    assert COLUMNS.parameters() == "$1, $2"
    assert COLUMNS.assignments(2) == "id = $2, colour = $3"
    assert COLUMNS + Columns("size") == Columns("id", "colour", "size")


def test_values_have_the_order_of_the_columns() -> None:
    assert COLUMNS.values_of(SHAPE) == [ID, "red"]
    assert (COLUMNS + Columns("size", "edges")).values_of(SHAPE, edges=4) == [ID, "red", 2, 4]
    with pytest.raises(AttributeError):
        Columns("edges").values_of(SHAPE)


def test_a_row_becomes_a_domain_object_by_the_names_and_types_of_its_fields() -> None:
    assert from_row(Shape, {"id": ID, "colour": "red", "corners": [1, 2], "more": None}) == SHAPE
    assert from_row(Shape, {"id": ID, "colour": "red", "points": [2, 1]}, corners=[1, 2]) == SHAPE
    with pytest.raises(msgspec.ValidationError):
        from_row(Shape, {"id": ID, "colour": "red"})
