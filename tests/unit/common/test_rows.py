"""Columns are listed once per table, and rows become domain objects by the names of their columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from unora_common.rows import Columns, from_row


class State(StrEnum):
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Streak:
    id: UUID
    state: State
    members: frozenset[UUID]
    breaker_id: UUID | None = None


def row(**changes: Any) -> dict[str, Any]:
    return {"id": uuid4(), "state": "active", "members": [uuid4(), uuid4()], "breaker_id": None, "now": "x"} | changes


def test_a_row_becomes_an_object_by_names_whatever_their_order() -> None:
    found = row()
    streak = from_row(Streak, dict(reversed(found.items())))
    assert streak == Streak(found["id"], State.ACTIVE, frozenset(found["members"]), None)
    assert isinstance(streak.state, State)


def test_a_value_that_the_type_does_not_have_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        from_row(Streak, row(state="no such state"))


def test_the_lists_of_all_statements_follow_from_one() -> None:
    fixed, changing = Columns("id", "user_id"), Columns("state", "version")
    columns = fixed + changing
    assert columns.names("s") == "s.id, s.user_id, s.state, s.version"
    assert (columns.names(), columns.parameters()) == ("id, user_id, state, version", "$1, $2, $3, $4")
    assert changing.assignments(2) == "state = $2, version = $3"
    assert changing.values({"version": 2, "state": "active", "id": 1}) == ["active", 2]
    with pytest.raises(KeyError):
        columns.values({"id": 1})
