"""DI-05: a change of filters."""

from __future__ import annotations

from unora_common.database import Tx

from unora_discovery.domain.filters import FilterChanges, Filters, change_filters
from unora_discovery.domain.servers import ServerType
from unora_discovery.store import filters


async def update_filters(tx: Tx, server: ServerType, changes: FilterChanges) -> Filters:
    """DI-05: changes the caller's filters for the next refresh. The row is locked, so that changes of different fields
    at the same time all count. Raises InvalidArgument.
    """
    before = await filters.lock_or_create(tx, tx.user, server)
    after = change_filters(before, changes)
    filters.save(tx, tx.user, server, after)
    return after
