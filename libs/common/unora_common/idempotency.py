"""One call, one transaction, one response (BI-08).

A method that changes something stores its response in the transaction of the change, under (caller, method, request
id). It does not look first whether there is one: only if the work is refused, or the stored response collides with an
earlier one, is the earlier response read and returned. So the usual call pays no extra read.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from random import uniform
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from google.protobuf.message import Message

from unora_common.call import Call
from unora_common.common_metrics import IDEMPOTENT_REPEATS
from unora_common.database import Database, Tx
from unora_common.errors import DomainError, RequestIdReused
from unora_common.metrics import Metrics
from unora_common.transient import CONFLICTS

A = TypeVar("A", bound=Message)
ATTEMPTS = 3
RETRY_DELAY = 0.05
"""Seconds before the second attempt, at most; the delay doubles before each later one."""


async def run_idempotent(
    database: Database, call: Call, request: Any, work: Callable[[], Awaitable[A]], on_repeat: Callable[[str], None]
) -> A:
    """Runs `work`, a transaction that stores its response, or returns the response that the same call got before, and
    passes the method's path to `on_repeat`.

    Tries again after a deadlock, after a random delay. Raises RequestIdReused if the request id came with another
    request.
    """
    for attempt in range(ATTEMPTS):
        try:
            return await work()
        except CONFLICTS:
            if attempt == ATTEMPTS - 1:
                raise
            # The call that won the deadlock takes the lock that is free now. Without the delay this call may take it
            # first, and the two end in the same deadlock again.
            await asyncio.sleep(uniform(0.5, 1.0) * RETRY_DELAY * 2**attempt)  # noqa: S311 - no secret
        except (DomainError, asyncpg.IntegrityConstraintViolationError):
            stored = await _find_response(database, call, request)
            if stored is None:
                raise
            on_repeat(call.method)
            return call.answer.FromString(stored)  # type: ignore[return-value]
    raise AssertionError("the last attempt returns or raises")


def count_repeat(metrics: Metrics, path: str, times: int = 1) -> None:
    """Counts a call that was answered with a kept answer, by the method's path; 0 times shows that there was none."""
    metrics.of(IDEMPOTENT_REPEATS).labels(path.rpartition("/")[2]).inc(times)


def store_response(database: Database, tx: Tx, call: Call, request: Any, response: Message) -> None:
    """Stores the response in the transaction of its effect."""
    key = (call.principal, call.method, UUID(request.request_id))
    tx.defer(insert_response(database.schema), *key, _digest(request), response.SerializeToString())


async def _find_response(database: Database, call: Call, request: Any) -> bytes | None:
    async with database.session() as session:
        row = await session.row(_select(database.schema), call.principal, call.method, UUID(request.request_id))
    if row is None:
        return None
    if row["request_hash"] != _digest(request):
        raise RequestIdReused
    response: bytes = row["answer"]
    return response


@cache
def insert_response(schema: str) -> str:
    """The statement that stores a response: caller, method, request id, hash of the request, response."""
    return f"""
        INSERT INTO {schema}.kept_answers (caller, method, request_id, request_hash, answer)
        VALUES ($1, $2, $3, $4, $5)"""


@cache
def _select(schema: str) -> str:
    return f"""
        SELECT request_hash, answer FROM {schema}.kept_answers
        WHERE caller = $1 AND method = $2 AND request_id = $3"""


def _digest(request: Message) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
