"""What the tests of matching share."""

from __future__ import annotations

from typing import Any

import pytest
from unora_common import database
from unora_common.batching import Write, combine
from unora_common.database import Session, Tx
from unora_testing.world import World

from tests.integration.matching.people import People


@pytest.fixture
def people(world: World) -> People:
    return People(world)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All statements on matching's tables that are sent to Postgres from now on, also those at the commit."""
    seen: list[str] = []

    def record(cls: type[Any], name: str) -> None:
        original = getattr(cls, name)

        async def recorded(self: Any, sql: str, *arguments: Any) -> Any:
            if "matching." in sql:
                seen.append(sql)
            return await original(self, sql, *arguments)

        monkeypatch.setattr(cls, name, recorded)

    def at_commit(writes: list[Write]) -> Write:
        write = combine(writes)
        if "matching." in write.sql:
            seen.append(write.sql)
        return write

    for cls, names in ((Session, ("rows", "row", "value")), (Tx, ("lock", "run"))):
        for name in names:
            record(cls, name)
    monkeypatch.setattr(database, "combine", at_commit)
    return seen
