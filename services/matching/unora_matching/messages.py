"""Domain to proto and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from unora.matching.v1 import events_pb2, matching_service_pb2, pair_service_pb2
from unora.matching.v1.matching_service_pb2 import ConnectionStatus as ConnectionStatusMessage
from unora.matching.v1.matching_service_pb2 import EndReason as EndReasonMessage
from unora.matching.v1.matching_service_pb2 import InterestStatus as InterestStatusMessage
from unora_common.messages import SERVERS, TIERS, by_name, by_number, to_timestamp

from unora_matching.domain import (
    Closed,
    Connection,
    EndCause,
    EndReason,
    Interest,
    Inventory,
)

CONNECTION_STATUSES = by_name(ConnectionStatusMessage)
END_REASONS = {number: EndReason(name) for number, name in by_number(EndReasonMessage).items()}
SHOWN = by_name(InterestStatusMessage)
"""What a sender may see; void is not among it (MA-11)."""
CLOSURES = by_name(events_pb2.InterestClosure)
CAUSES = by_name(events_pb2.EndCause)


# Answers


def to_interest(interest: Interest) -> matching_service_pb2.Interest:
    """An interest as its sender sees it."""
    return matching_service_pb2.Interest(
        interest_id=str(interest.id),
        card_id=str(interest.card_id),
        server_type=SERVERS[interest.server_type],
        status=SHOWN[interest.shown_as],
        sent_at=to_timestamp(interest.sent_at),
    )


def to_connection(connection: Connection, viewer: UUID) -> matching_service_pb2.Connection:
    """A connection as one of its two sees it."""
    return matching_service_pb2.Connection(
        connection_id=str(connection.id),
        server_type=SERVERS[connection.server_type],
        partner_id=str(connection.partner_of(viewer)),
        status=CONNECTION_STATUSES[connection.status],
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
        status=CONNECTION_STATUSES[connection.status],
        version=connection.version,
        formed_at=to_timestamp(connection.formed_at),
        ended_at=to_timestamp(connection.ended_at),
    )


# Events


def interest_sent(interest: Interest, lifetime: timedelta) -> events_pb2.InterestSent:
    """The first event of every interest; also says when it is over, which nobody else reckons (MA-11)."""
    return events_pb2.InterestSent(
        interest_id=str(interest.id),
        version=1,
        sender_id=str(interest.sender_id),
        receiver_id=str(interest.receiver_id),
        server_type=SERVERS[interest.server_type],
        occurred_at=to_timestamp(interest.sent_at),
        expires_at=to_timestamp(interest.sent_at + lifetime),
    )


def interest_closed(closed: Closed, now: datetime) -> events_pb2.InterestClosed:
    """An interest can no longer match; or, told again of a void one, it no longer looks as if it could."""
    return events_pb2.InterestClosed(
        interest_id=str(closed.id),
        version=closed.version,
        sender_id=str(closed.sender_id),
        receiver_id=str(closed.receiver_id),
        server_type=SERVERS[closed.server_type],
        closure=CLOSURES[closed.closure],
        occurred_at=to_timestamp(now),
    )


def inventory_changed(inventory: Inventory, now: datetime) -> events_pb2.InventoryChanged:
    """A slot was taken or freed, or the tier changed."""
    return events_pb2.InventoryChanged(
        user_id=str(inventory.user_id),
        version=inventory.version,
        tier=TIERS[inventory.tier],
        active_connection_count=inventory.active_connection_count,
        connection_limit=inventory.connection_limit,
        occurred_at=to_timestamp(now),
    )


def interests_wiped(
    inventory: Inventory, count: int, connection_id: UUID | None, now: datetime
) -> events_pb2.InterestsWiped:
    """A Total Wipe (MA-04); without a connection when a tier took the last slot."""
    return events_pb2.InterestsWiped(
        user_id=str(inventory.user_id),
        version=inventory.version,
        wiped_count=count,
        connection_id=str(connection_id or ""),
        occurred_at=to_timestamp(now),
    )


def connection_formed(connection: Connection) -> events_pb2.ConnectionFormed:
    """The first event of every connection."""
    return events_pb2.ConnectionFormed(
        connection_id=str(connection.id),
        version=connection.version,
        user_a_id=str(connection.user_a_id),
        user_b_id=str(connection.user_b_id),
        server_type=SERVERS[connection.server_type],
        occurred_at=to_timestamp(connection.formed_at),
    )


def connection_ended(
    connection: Connection, by: UUID, cause: EndCause, acted_at: datetime
) -> events_pb2.ConnectionEnded:
    """Who and what ended it is told for credits and safety; a member's reason is not told at all (MA-09)."""
    return events_pb2.ConnectionEnded(
        connection_id=str(connection.id),
        version=connection.version,
        user_a_id=str(connection.user_a_id),
        user_b_id=str(connection.user_b_id),
        server_type=SERVERS[connection.server_type],
        ended_by_id=str(by),
        occurred_at=to_timestamp(connection.ended_at),
        cause=CAUSES[cause],
        acted_at=to_timestamp(acted_at),
    )


def chat_unlocked(connection: Connection) -> events_pb2.ChatUnlocked:
    """ST-11: the two may chat, from when the streak was completed."""
    return events_pb2.ChatUnlocked(
        connection_id=str(connection.id),
        version=connection.version,
        user_a_id=str(connection.user_a_id),
        user_b_id=str(connection.user_b_id),
        occurred_at=to_timestamp(connection.chat_unlocked_at),
    )
