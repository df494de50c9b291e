"""Connections that end."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.matching.v1.events_pb2 import ConnectionEnded
from unora_common.database import Tx
from unora_common.handlers import on_batch
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.resources import Resources
from unora_reveal.store import pairs


class ConnectionEvents:
    """No reveal opens after the end of a connection (RE-10)."""

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime

    @on_batch(ConnectionEnded)
    async def on_connections_ended(self, events: Sequence[ConnectionEnded], tx: Tx) -> None:
        """Stores the end, also of a connection whose streak is not known yet."""
        await pairs.end(
            tx,
            [
                (UUID(each.connection_id), UUID(each.user_a_id), UUID(each.user_b_id), from_timestamp(each.occurred_at))
                for each in events
            ],
        )
