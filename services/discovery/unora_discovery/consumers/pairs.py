"""Events of pairs: interests, connections and blocks."""

from __future__ import annotations

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed, InterestClosed, InterestSent
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.pairs import ExclusionReason, connection_exclusions, interest_closed, interest_sent
from unora_discovery.messages import from_block, from_closure, from_connection, from_interest
from unora_discovery.resources import Resources
from unora_discovery.store import pairs


class PairEvents:
    """DI-09, DI-13: which members are not shown to each other, and which interests wait."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @on(InterestSent)
    async def on_interest_sent(self, event: InterestSent, tx: Tx) -> None:
        """The sender is not shown the receiver again."""
        # An earlier version of matching does not send expires_at. Then the interest ends when its closing is published.
        expires_at = from_timestamp(event.expires_at) if event.HasField("expires_at") else None
        exclusion, waiting = interest_sent(from_interest(event), expires_at)
        await pairs.save_exclusions(tx, exclusion)
        await pairs.save_waiting_interest(tx, waiting)

    @on(InterestClosed)
    async def on_interest_closed(self, event: InterestClosed, tx: Tx) -> None:
        """The interest waits no longer (DI-13). The closure decides whether the sender may be shown the receiver."""
        exclusion, waiting = interest_closed(from_interest(event), from_closure(event))
        await pairs.save_exclusions(tx, exclusion)
        await pairs.save_waiting_interest(tx, waiting)

    @on(ConnectionFormed)
    async def on_connection_formed(self, event: ConnectionFormed, tx: Tx) -> None:
        """Neither is shown to the other."""
        await pairs.save_exclusions(tx, *connection_exclusions(from_connection(event), ExclusionReason.CONNECTED))

    @on(ConnectionEnded)
    async def on_connection_ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """An ended pair is never shown to each other again (MA-12)."""
        await pairs.save_exclusions(tx, *connection_exclusions(from_connection(event), ExclusionReason.ENDED))

    @on(MemberBlocked)
    async def on_member_blocked(self, event: MemberBlocked, tx: Tx) -> None:
        """Neither is shown to the other. Existing cards stay: a card that disappears would reveal the block (XX-04)."""
        await pairs.save_block(tx, from_block(event, in_force=True))

    @on(MemberUnblocked)
    async def on_member_unblocked(self, event: MemberUnblocked, tx: Tx) -> None:
        """They may be shown to each other, unless the other one blocks too or they were connected."""
        await pairs.save_block(tx, from_block(event, in_force=False))
