"""SQL statements as spans: what each does to which tables, never its text or its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from unora_common import trace
from unora_common.config import CONTEXTS
from unora_common.leases import Pooled
from unora_common.trace import Span

_SCHEMAS: Final = "|".join(CONTEXTS)
_STEP: Final = re.compile(
    rf"""(?: \b(?P<verb>INSERT\ INTO | UPDATE | DELETE\ FROM) | \b(?<!DISTINCT\ )(?:FROM | JOIN | SELECT) )
    \s+ (?:ONLY\s+)? (?P<name>(?:{_SCHEMAS})\.[a-z_0-9]+)""",
    re.VERBOSE,
)
_VERB: Final = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CALL)\b")
MAX_NAME_LENGTH: Final = 200
"""The most characters of a name. A statement of many parts has the first of them."""


@lru_cache(maxsize=2048)  # a service has some hundred statements
def summary(sql: str) -> str:
    """What a statement does to which tables, such as `SELECT streak.streaks` or `INSERT streak.check_ins UPDATE
    streak.streaks`. Tables and functions without one of our schemas are left out.
    """
    steps: dict[str, None] = {}
    for found in _STEP.finditer(sql):
        verb = (found["verb"] or "SELECT").partition(" ")[0]
        steps[f"{verb} {found['name']}"] = None
    name = ""
    for step in steps:
        if len(name) + len(step) >= MAX_NAME_LENGTH:
            break
        name += f" {step}" if name else step
    verb = None if name else _VERB.search(sql)
    return name or (verb[0] if verb else "SQL")


def watched(connection: Pooled) -> Pooled:
    """The connection, with a span for each of its statements if the current work is recorded."""
    return connection if trace.span() is None else cast("Pooled", _Watched(connection))


class _Watched:
    """A connection whose statements are spans below the current one."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Pooled) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, sql: str, *arguments: object) -> Any:
        with _statement(sql):
            return await self._connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> Any:
        with _statement(sql):
            return await self._connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        with _statement(sql):
            return await self._connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> str:
        with _statement(sql):
            return await self._connection.execute(sql, *arguments)

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with _statement(sql):
            await self._connection.executemany(sql, rows)


def _statement(sql: str) -> Any:
    above: Span | None = trace.span()
    if above is None:
        return trace.NO_SPAN
    name = summary(sql)
    return above.part(name, "client", {"db.system.name": "postgresql", "db.query.summary": name})
