"""One call, one transaction, one answer (BI-08).

Optimistic: the answer is written with the effect, under (caller, method, request id), and nothing is looked up before.
Only when the work is refused, or the answer turns out to be there already, is the first answer sought.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from google.protobuf.message import Message

from unora_common.call import Call
from unora_common.database import Database, Tx
from unora_common.errors import DomainError, RequestIdReused

A = TypeVar("A", bound=Message)
ATTEMPTS = 3


async def answered_once(database: Database, call: Call, request: Any, work: Callable[[], Awaitable[A]]) -> A:
    """Runs `work`, a transaction that keeps its answer, or gives the answer that the same call got before.

    Deadlocks are tried again. Raises RequestIdReused when the request id came with another request.
    """
    for attempt in range(ATTEMPTS):
        try:
            return await work()
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if attempt == ATTEMPTS - 1:
                raise
        except (DomainError, asyncpg.IntegrityConstraintViolationError):
            kept = await _find(database, call, request)
            if kept is None:
                raise
            return call.answer.FromString(kept)  # type: ignore[return-value]
    raise AssertionError("the last attempt returns or raises")


def keep(database: Database, tx: Tx, call: Call, request: Any, answer: Message) -> None:
    """Keeps the answer, in the transaction of its effect."""
    key = (call.principal, call.method, UUID(request.request_id))
    tx.write(database.answers.keep, *key, _digest(request), answer.SerializeToString())


async def _find(database: Database, call: Call, request: Any) -> bytes | None:
    async with database.session() as session:
        row = await session.row(database.answers.find, call.principal, call.method, UUID(request.request_id))
    if row is None:
        return None
    if row["request_hash"] != _digest(request):
        raise RequestIdReused
    answer: bytes = row["answer"]
    return answer


def _digest(request: Message) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
