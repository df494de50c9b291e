"""What every context does to erase a member (ID-09): it notes the member as erased when identity asks for it, deletes
in batches what its tables declare (erased.py), and tells that by an event of its own.

A context lists `ErasureEvents` among its consumers and an `ErasureJobs` of its own among its jobs. A process may die at
any instant: each batch is a transaction, the tombstone says who is not erased yet, and the receipt is written with the
batch that found nothing more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from unora.identity.v1.events_pb2 import AccountErasureRequested

from unora_common.database import Session, Tx
from unora_common.domain_events import DomainEvent
from unora_common.due import MACHINE_CLOCK, Due, due_sql, find_due
from unora_common.handlers import every, on_batch
from unora_common.job_batches import Batches
from unora_common.runtime import AnyRuntime

E = TypeVar("E", bound=DomainEvent)

BATCH: Final = 1000
"""The most rows that one transaction deletes or blanks."""


class Erasure(NamedTuple):
    """A member whom this context has to erase."""

    id: UUID
    user_id: UUID


class ErasureEvents:
    """What identity asks for."""

    def __init__(self, runtime: AnyRuntime) -> None:
        self.runtime = runtime

    @on_batch(AccountErasureRequested, of_erased=True)
    async def on_account_erasures_requested(self, events: Sequence[AccountErasureRequested], tx: Tx) -> None:
        """ID-09: from now on no event about the member is applied. The job `erase_members` deletes what is there."""
        await exclude_consumers(tx, self.runtime.context)
        await note(tx, self.runtime.context, [Erasure(UUID(e.erasure_id), UUID(e.user_id)) for e in events])


class Erasing(ABC):
    """The job; each context has its own receipt. Safe on any number of replicas: each takes another member."""

    waits: str = "true"
    """A condition on a tombstone `e`, without which its member's rows must not be deleted yet."""

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime
        schema = runtime.context
        self._take = f"""
            WITH s AS MATERIALIZED (
                SELECT e.user_id, e.erasure_id FROM {schema}.erased_members e
                WHERE e.erased_at IS NULL AND {self.waits}
                    AND e.user_id <> ALL ($2::uuid[]) AND ($3::uuid IS NULL OR e.user_id = $3)
                ORDER BY e.noted_at LIMIT $1 FOR NO KEY UPDATE OF e SKIP LOCKED)
            SELECT s.*, clock.now() AS now FROM s"""
        waiting = f"{schema}.erased_members e WHERE e.erased_at IS NULL"
        self._due_sql = due_sql(waiting, "e.noted_at", now=MACHINE_CLOCK)
        self._erase = f"SELECT {schema}.erase_member($1, $2)"
        self._finish = f"UPDATE {schema}.erased_members SET erased_at = clock_timestamp() WHERE user_id = $1"
        self._batches = Batches(runtime.database, runtime.log, "member cannot be erased", self._lock, self._work)

    @abstractmethod
    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """Tells that the member is erased here."""

    async def _count_due(self, db: Session) -> Due:
        return await find_due(db, self._due_sql)

    @every(seconds=5, due=_count_due)
    async def erase_members(self) -> int:
        """ID-09: deletes a batch of rows of one member, or tells that there are none left."""
        return await self._batches.step(1)

    async def _lock(self, tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> Mapping[UUID, Erasure]:
        rows = await tx.lock(self._take, limit, left_out, only)
        return {row["user_id"]: Erasure(row["erasure_id"], row["user_id"]) for row in rows}

    async def _work(self, tx: Tx, erasures: Mapping[UUID, Erasure]) -> int:
        done = 0
        for erasure in erasures.values():
            erased: int = await tx.value(self._erase, erasure.user_id, BATCH)
            if not erased:
                await tx.run(self._finish, erasure.user_id)
                await self.receipt(tx, erasure)
            done += max(erased, 1)
        return done


def receipt_of(event: Callable[..., E], erasure: Erasure, tx: Tx) -> E:
    """A context's own event that says that it has erased the member."""
    return event(erasure_id=erasure.id, version=1, user_id=erasure.user_id, occurred_at=tx.now)


async def exclude_consumers(tx: Tx, schema: str) -> None:
    """Waits until no consumer of this context is in a transaction, and keeps others from beginning until this one ends.
    To be called before any other lock.
    """
    await tx.value("SELECT pg_advisory_xact_lock(hashtext($1))", f"erasures of {schema}")


async def erased_among(tx: Tx, schema: str, members: Sequence[UUID]) -> set[UUID]:
    """Those of the members who are or will be erased; nobody else becomes one before the transaction ends. For whatever
    writes what it read elsewhere before, as a rebuild does; consumers need not ask. To be called before any lock.
    """
    rows = await tx.rows(f"SELECT {schema}.erased_among($1) AS user_id", list(members))
    return {row["user_id"] for row in rows}


async def note(tx: Tx, schema: str, erasures: Sequence[Erasure]) -> None:
    """Writes tombstones, after `exclude_consumers`."""
    await tx.run(
        f"""
        INSERT INTO {schema}.erased_members (user_id, erasure_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])
        ON CONFLICT DO NOTHING""",
        [each.user_id for each in erasures],
        [each.id for each in erasures],
    )
