"""Domain to proto and back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from unora.identity.v1.events_pb2 import (
    AccountClosed,
    AccountHidden,
    AccountPaused,
    AccountReopened,
    AccountResumed,
)
from unora.matching.v1 import events_pb2, matching_service_pb2, pair_service_pb2
from unora.matching.v1.events_pb2 import INTEREST_CLOSURE_UNSPECIFIED
from unora.matching.v1.matching_service_pb2 import ConnectionStatus as ConnectionStatusMessage
from unora.matching.v1.matching_service_pb2 import EndReason as EndReasonMessage
from unora.matching.v1.matching_service_pb2 import InterestStatus as InterestStatusMessage
from unora.matching.v1.projection_service_pb2 import (
    ConnectionEnding,
    ConnectionState,
    InterestState,
    MemberInventory,
)
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora_common.database import Row
from unora_common.messages import SERVERS, TIERS, by_name, by_number, event_encoder, from_timestamp, to_timestamp

from unora_matching.domain.connections import Connection, EndReason
from unora_matching.domain.interests import Interest
from unora_matching.domain.inventory import Inventory
from unora_matching.domain.notices import AccountNotice, BlockNotice, Restriction

to_message = event_encoder(events_pb2)
"""The message of a domain event."""

CONNECTION_STATUSES = by_name(ConnectionStatusMessage)
END_REASONS = {number: EndReason(name) for number, name in by_number(EndReasonMessage).items()}
CLOSURES = by_name(events_pb2.InterestClosure)
SHOWN_STATUSES = by_name(InterestStatusMessage)
"""The statuses that a sender may see; void is not one of them (MA-11)."""


def from_block(event: MemberBlocked | MemberUnblocked, *, blocked: bool) -> BlockNotice:
    """A block or its lifting, from safety."""
    return BlockNotice(
        blocker_id=UUID(event.blocker_id),
        blocked_id=UUID(event.blocked_id),
        block_id=UUID(event.block_id),
        version=event.version,
        blocked=blocked,
        changed_at=from_timestamp(event.occurred_at),
    )


def from_restriction(event: RestrictionChanged) -> Restriction:
    """A member's restriction, from safety."""
    return Restriction(
        user_id=UUID(event.user_id),
        restricted=event.restricted,
        suspended=event.suspended,
        version=event.version,
        changed_at=from_timestamp(event.occurred_at),
    )


def from_account(
    event: AccountPaused | AccountResumed | AccountClosed | AccountHidden | AccountReopened,
    *,
    paused: bool = False,
    closed: bool = False,
) -> AccountNotice:
    """Whether a member is away, from identity."""
    return AccountNotice(
        user_id=UUID(event.user_id),
        paused=paused,
        closed=closed,
        version=event.version,
        changed_at=from_timestamp(event.occurred_at),
    )


def to_member_inventory(inventory: Inventory) -> MemberInventory:
    """A member's slots, for a projection."""
    return MemberInventory(
        user_id=str(inventory.user_id),
        version=inventory.version,
        active_connection_count=inventory.active_connection_count,
        connection_limit=inventory.connection_limit,
    )


def to_interest_state(row: Row, lifetime: timedelta) -> InterestState:
    """An interest, for a projection; it lives so long (MA-11)."""
    return InterestState(
        interest_id=str(row["id"]),
        version=row["version"],
        sender_id=str(row["sender_id"]),
        receiver_id=str(row["receiver_id"]),
        server_type=SERVERS[row["server_type"]],
        closure=CLOSURES.get(row["status"], INTEREST_CLOSURE_UNSPECIFIED),
        expires_at=to_timestamp(row["sent_at"] + lifetime),
        closed_at=to_timestamp(row["closed_at"]),
        card_id=str(row["card_id"]),
    )


def to_connection_state(row: Row) -> ConnectionState:
    """A connection, for a projection."""
    return ConnectionState(
        connection_id=str(row["id"]),
        version=row["version"],
        user_a_id=str(row["user_a_id"]),
        user_b_id=str(row["user_b_id"]),
        server_type=SERVERS[row["server_type"]],
        formed_at=to_timestamp(row["formed_at"]),
        ended_at=to_timestamp(row["ended_at"]),
    )


def to_connection_ending(row: Row) -> ConnectionEnding:
    """The end of a connection, for credits."""
    return ConnectionEnding(
        connection_id=str(row["id"]),
        ended_by_id=str(row["ended_by_id"]),
        ended_at=to_timestamp(row["ended_at"]),
        acted_at=to_timestamp(row["acted_at"]),
    )


def to_interest(interest: Interest) -> matching_service_pb2.Interest:
    """An interest as its sender sees it."""
    return matching_service_pb2.Interest(
        interest_id=str(interest.id),
        card_id=str(interest.card_id),
        server_type=SERVERS[interest.server_type],
        status=SHOWN_STATUSES[interest.shown_as],
        sent_at=to_timestamp(interest.sent_at),
        connection_id=str(interest.connection_id or ""),
    )


def to_connection(connection: Connection, viewer: UUID) -> matching_service_pb2.Connection:
    """A connection as one of its two sees it."""
    return matching_service_pb2.Connection(
        connection_id=str(connection.id),
        server_type=SERVERS[connection.server_type],
        partner_id=str(connection.partner_of(viewer)),
        status=CONNECTION_STATUSES[connection.connection_status],
        formed_at=to_timestamp(connection.formed_at),
        ended_at=to_timestamp(connection.ended_at),
        chat_unlocked_at=to_timestamp(connection.chat_unlocked_at),
    )


def to_inventory(inventory: Inventory, pending: int) -> matching_service_pb2.Inventory:
    """A member's slots."""
    return matching_service_pb2.Inventory(
        tier=TIERS[inventory.tier],
        active_connection_count=inventory.active_connection_count,
        connection_limit=inventory.connection_limit,
        pending_interest_count=pending,
    )


def to_pair(connection: Connection) -> pair_service_pb2.Pair:
    """A connection as other contexts see it."""
    return pair_service_pb2.Pair(
        connection_id=str(connection.id),
        user_a_id=str(connection.user_a_id),
        user_b_id=str(connection.user_b_id),
        server_type=SERVERS[connection.server_type],
        status=CONNECTION_STATUSES[connection.connection_status],
        version=connection.version,
        formed_at=to_timestamp(connection.formed_at),
        ended_at=to_timestamp(connection.ended_at),
    )
