"""Several statements in one round trip.

A use case's writes, its events and its answer are known before any of them is sent. They go to Postgres together, as
parts of one statement (`WITH … AS (INSERT …), … AS (UPDATE …) INSERT …`): a check-in needs four round trips, not seven.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

_PARAMETER = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """A statement that changes something and whose rows nobody needs, with its arguments for $1, $2, …"""

    sql: str
    arguments: tuple[Any, ...]


def together(writes: Sequence[Write]) -> Write:
    """One statement that does all of them. Its parts see none of each other's effects."""
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
