"""Records the statements that a context sends to Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

METHODS = ("fetch", "fetchrow", "fetchval", "execute", "executemany")
FRAMES = ("BEGIN", "COMMIT", "ROLLBACK")


@contextmanager
def sent_by(context: str) -> Iterator[list[str]]:
    """The statements that the role of a context sends inside, without the frames of transactions."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in METHODS:
            patch.setattr(asyncpg.Connection, name, _noted(getattr(asyncpg.Connection, name), context, found))
        yield found


def _noted(method: Any, context: str, found: list[str]) -> Any:
    async def noted(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if self._params.user == f"unora_{context}" and not query.startswith(FRAMES):
            found.append(query)
        return await method(self, query, *arguments, **options)

    return noted
