"""Connections that end."""

from __future__ import annotations

from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.resources import Resources
from unora_reveal.store import pairs


class ConnectionEvents:
    """No reveal opens after the end of a connection (RE-10)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on(ConnectionEnded)
    async def on_connection_ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """Stores the end, also of a connection whose streak is not known yet."""
        members = UUID(event.user_a_id), UUID(event.user_b_id)
        await pairs.end(tx, UUID(event.connection_id), *members, from_timestamp(event.occurred_at))
