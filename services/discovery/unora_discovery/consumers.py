"""What discovery follows: the members of the pool, their slots, and the pairs that are not shown to each other."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.matching.v1 import events_pb2
from unora.matching.v1.events_pb2 import (
    ConnectionEnded,
    ConnectionFormed,
    InterestClosed,
    InterestSent,
    InventoryChanged,
)
from unora_common.database import Tx
from unora_common.declare import on
from unora_common.service import App

from unora_discovery.clients import Directory
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain import Exclusion, Profile, Reason
from unora_discovery.messages import from_inventory
from unora_discovery.store import pool

CLOSED: Final = {
    # These two come of a connection, whose own event may be read later: until then the pair stays apart by this.
    events_pb2.INTEREST_CLOSURE_MATCHED: Reason.CONNECTED,
    events_pb2.INTEREST_CLOSURE_VOID: Reason.CONNECTED,
    events_pb2.INTEREST_CLOSURE_WIPED: Reason.LIFTED,
}


class Pool:
    """The pool of candidates, as identity and matching tell of them; the newest version counts."""

    def __init__(self, app: App[DiscoveryConfig]) -> None:
        self.directory = Directory(app.clients)

    async def _profile(self, event: DiscoveryProfileChanged) -> Profile:
        return await self.directory.profile(UUID(event.user_id))

    @on(DiscoveryProfileChanged, prepare=_profile)
    async def profile(self, event: DiscoveryProfileChanged, tx: Tx, profile: Profile) -> None:
        """DI-08, PR-06. The event says that something changed; what it is was asked just now."""
        await pool.project_profile(tx, profile)

    @on(InventoryChanged)
    async def inventory(self, event: InventoryChanged, tx: Tx) -> None:
        """DI-06, DI-09: capacity, and the tier that sets the timer."""
        await pool.project_inventory(tx, from_inventory(event))


class Pairs:
    """DI-09: who is not shown to whom."""

    def __init__(self, app: App[DiscoveryConfig]) -> None:
        self.app = app

    @on(InterestSent)
    async def sent(self, event: InterestSent, tx: Tx) -> None:
        """Only to the sender: what the receiver is shown must not change (MA-10)."""
        await pool.exclude(tx, _of_interest(event, Reason.INTEREST_PENDING))

    @on(InterestClosed)
    async def closed(self, event: InterestClosed, tx: Tx) -> None:
        """A wiped interest no longer keeps the receiver from the sender's cards."""
        await pool.exclude(tx, _of_interest(event, CLOSED[event.closure]))

    @on(ConnectionFormed)
    async def formed(self, event: ConnectionFormed, tx: Tx) -> None:
        """Neither is shown to the other."""
        await pool.exclude(tx, *_of_connection(event, Reason.CONNECTED))

    @on(ConnectionEnded)
    async def ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """Nor ever again."""
        await pool.exclude(tx, *_of_connection(event, Reason.ENDED))


def _of_interest(event: InterestSent | InterestClosed, reason: Reason) -> Exclusion:
    return Exclusion(
        source_id=UUID(event.interest_id),
        version=event.version,
        user_id=UUID(event.sender_id),
        other_id=UUID(event.receiver_id),
        reason=reason,
    )


def _of_connection(event: ConnectionFormed | ConnectionEnded, reason: Reason) -> list[Exclusion]:
    a, b = UUID(event.user_a_id), UUID(event.user_b_id)
    return [
        Exclusion(
            source_id=UUID(event.connection_id), version=event.version, user_id=one, other_id=other, reason=reason
        )
        for one, other in ((a, b), (b, a))
    ]
