"""ID-09: the saga that erases an account. Each context erases on its own, and identity counts their receipts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from unora_common.database import Tx
from unora_common.erasing import Erasure as Tombstone
from unora_common.erasing import exclude_consumers, note
from unora_common.ids import uuid7
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.erasures import OBJECTS, Erasure
from unora_identity.domain.events import AccountErased, AccountErasureRequested
from unora_identity.messages.events import to_message
from unora_identity.resources import Resources
from unora_identity.store import erasures, exports

DELETIONS: Final = 10
"""How many objects are deleted at once."""


async def lock_due(tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> Mapping[UUID, LockedMember]:
    """Locks accounts whose time has come. Consumers are kept out first: they take the locks in this order too."""
    if not await erasures.is_any_due(tx):
        return {}
    await exclude_consumers(tx, "identity")
    return await erasures.lock_due(tx, limit, left_out, only)


async def begin(tx: Tx, locked: Mapping[UUID, LockedMember]) -> int:
    """ID-09: begins to erase these accounts. Under the same locks a member may open the account again, so one of the
    two is first; after this there is no account to open. Their numbers are free, and their keys are destroyed.
    """
    begun = [Erasure(id=uuid7(), user_id=each.id, version=each.version + 1) for each in locked.values()]
    await erasures.add(tx, begun)
    await exports.end_of(tx, [each.user_id for each in begun])
    await note(tx, "identity", [Tombstone(each.id, each.user_id) for each in begun])
    for each in begun:
        event = AccountErasureRequested(
            user_id=each.user_id, version=each.version, erasure_id=each.id, occurred_at=tx.now
        )
        tx.emit(to_message(event))
    return len(begun)


async def record_receipt(tx: Tx, erasure: UUID, source: str) -> None:
    """ID-09: takes a receipt. The last one ends the erasure."""
    before = await erasures.lock(tx, erasure)
    if before is None:
        return
    after = before.with_receipt(source, tx.now)
    if after == before:
        return
    await erasures.save(tx, after)
    if after.erased_at:
        event = AccountErased(
            user_id=after.user_id, version=after.version, erasure_id=after.id, occurred_at=after.erased_at
        )
        tx.emit(to_message(event))


async def erase_objects(runtime: Runtime[IdentityConfig, Resources], erasure: Erasure) -> None:
    """ID-09: deletes all objects of a member, and takes the receipt for it. Deleting again does no harm."""
    async with runtime.database.session() as session:
        keys = await erasures.list_object_keys(session, erasure.user_id)
    for start in range(0, len(keys), DELETIONS):
        await asyncio.gather(*map(runtime.resources.photo_store.delete, keys[start : start + DELETIONS]))
    async with runtime.database.transaction() as tx:
        await erasures.remove_offers(tx, erasure.user_id, keys)
        await record_receipt(tx, erasure.id, OBJECTS)
