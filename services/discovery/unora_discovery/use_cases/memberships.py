"""DI-01: joining and leaving a server."""

from __future__ import annotations

from unora_common.database import Tx

from unora_discovery.domain.events import ServerJoined, ServerLeft
from unora_discovery.domain.refresh import require_discovery_ready
from unora_discovery.domain.servers import Server, ServerType
from unora_discovery.messages.events import to_message
from unora_discovery.store import batches, members, screens
from unora_discovery.use_cases.precheck import Precheck, get_checked_viewer


async def join_server(tx: Tx, server: ServerType, precheck: Precheck) -> Server:
    """DI-01, PR-06: the caller joins. Joining again changes nothing. Raises AccountPaused, NotDiscoveryReady."""
    await members.lock_or_create(tx, tx.user)
    viewer = await get_checked_viewer(tx, server, precheck)
    if not viewer.joined:
        require_discovery_ready(viewer, precheck.missing)
        version = await members.join(tx, tx.user, server)
        tx.emit(to_message(ServerJoined(user_id=tx.user, version=version, server_type=server, occurred_at=tx.now)))
    return await _get_server(tx, server)


async def leave_server(tx: Tx, server: ServerType) -> Server:
    """DI-01: the caller leaves, and their batch there is closed. If they are not in the server, nothing changes."""
    if await members.lock(tx, tx.user) and (await screens.get_viewer(tx, tx.user, server)).joined:
        await batches.close(tx, tx.user, server)
        version = await members.leave(tx, tx.user, server)
        tx.emit(to_message(ServerLeft(user_id=tx.user, version=version, server_type=server, occurred_at=tx.now)))
    return await _get_server(tx, server)


async def _get_server(tx: Tx, server: ServerType) -> Server:
    return (await members.list_servers(tx, tx.user))[server]
