"""Several statements in one round trip.

A use case knows its last writes, its events and its response before it sends any of them. They go to Postgres as the
parts of one statement (`WITH … AS (INSERT …), … AS (UPDATE …) INSERT …`): a check-in needs four round trips, not seven.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

_PARAMETER = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """A statement whose result is not needed, with its arguments for $1, $2, …"""

    sql: str
    arguments: tuple[Any, ...]


def combine(writes: Sequence[Write]) -> Write:
    """One statement that does all the writes. Its parts do not see each other's effects."""
    if len(writes) == 1:
        return writes[0]
    sql = _joined(tuple((write.sql, len(write.arguments)) for write in writes))
    return Write(sql, tuple(argument for write in writes for argument in write.arguments))


@lru_cache(maxsize=1024)  # a service has a few dozen combinations
def _joined(parts: tuple[tuple[str, int], ...]) -> str:
    offset, statements = 0, []
    for sql, count in parts:
        statements.append(_PARAMETER.sub(lambda found, by=offset: f"${int(found[1]) + by}", sql))  # type: ignore[misc]
        offset += count
    *first, last = statements
    return f"WITH {', '.join(f'w{number} AS ({sql})' for number, sql in enumerate(first))} {last}"
