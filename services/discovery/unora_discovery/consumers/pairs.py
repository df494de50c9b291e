"""Events of pairs: interests, connections and blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed, InterestClosed, InterestSent
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked
from unora_common.database import Tx
from unora_common.handlers import on_batch
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.pairs import (
    CardInterest,
    Exclusion,
    ExclusionReason,
    WaitingInterest,
    card_interest,
    connection_exclusions,
    interest_closed,
    interest_sent,
)
from unora_discovery.messages.pairs import from_block, from_closure, from_connection, from_interest
from unora_discovery.resources import Resources
from unora_discovery.store import listed_cards, pairs, partners


class PairEvents:
    """DI-09, DI-13: which members are not shown to each other, and which interests wait."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self.runtime = runtime

    @on_batch(InterestSent)
    async def on_interests_sent(self, events: Sequence[InterestSent], tx: Tx) -> None:
        """The sender is not shown the receiver again."""
        await _save([interest_sent(from_interest(event), _end_of(event)) for event in events], tx)
        await listed_cards.save_interests(tx, [_on_card(event) for event in events])

    @on_batch(InterestClosed)
    async def on_interests_closed(self, events: Sequence[InterestClosed], tx: Tx) -> None:
        """The interest waits no longer (DI-13). The closure decides whether the sender may be shown the receiver."""
        await _save([interest_closed(from_interest(event), from_closure(event)) for event in events], tx)
        await listed_cards.save_interests(tx, [_on_card(event) for event in events])

    @on_batch(ConnectionFormed)
    async def on_connections_formed(self, events: Sequence[ConnectionFormed], tx: Tx) -> None:
        """Neither is shown to the other on new cards. From now on each sees the other's card as a partner (DI-15)."""
        await pairs.save_exclusions(tx, _apart(events, ExclusionReason.CONNECTED))
        await partners.save(tx, map(from_connection, events), active=True)

    @on_batch(ConnectionEnded)
    async def on_connections_ended(self, events: Sequence[ConnectionEnded], tx: Tx) -> None:
        """An ended pair is never shown to each other again (MA-12)."""
        await pairs.save_exclusions(tx, _apart(events, ExclusionReason.ENDED))
        await partners.save(tx, map(from_connection, events), active=False)

    @on_batch(MemberBlocked)
    async def on_members_blocked(self, events: Sequence[MemberBlocked], tx: Tx) -> None:
        """Neither is shown to the other. Existing cards stay: a card that disappears would reveal the block (XX-04)."""
        await pairs.save_blocks(tx, [from_block(event, in_force=True) for event in events])

    @on_batch(MemberUnblocked)
    async def on_members_unblocked(self, events: Sequence[MemberUnblocked], tx: Tx) -> None:
        """They may be shown to each other, unless the other one blocks too or they were connected."""
        await pairs.save_blocks(tx, [from_block(event, in_force=False) for event in events])


def _end_of(event: InterestSent) -> datetime | None:
    """An earlier version of matching does not say it. Then the interest ends when its closing is published."""
    return from_timestamp(event.expires_at) if event.HasField("expires_at") else None


def _on_card(event: InterestSent | InterestClosed) -> CardInterest | None:
    closure = from_closure(event) if isinstance(event, InterestClosed) else None
    return card_interest(from_interest(event), closure, from_timestamp(event.occurred_at))


def _apart(events: Sequence[ConnectionFormed | ConnectionEnded], reason: ExclusionReason) -> list[Exclusion]:
    return [each for event in events for each in connection_exclusions(from_connection(event), reason)]


async def _save(states: Sequence[tuple[Exclusion, WaitingInterest]], tx: Tx) -> None:
    await pairs.save_exclusions(tx, [exclusion for exclusion, _ in states])
    await pairs.save_waiting_interests(tx, [waiting for _, waiting in states])
