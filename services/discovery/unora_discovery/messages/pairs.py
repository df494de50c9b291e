"""Blocks, interests and connections of two members, from safety and matching."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from unora.matching.v1 import events_pb2 as matching_events_pb2
from unora.matching.v1.events_pb2 import (
    ConnectionEnded,
    ConnectionFormed,
    InterestClosed,
    InterestSent,
)
from unora.matching.v1.projection_service_pb2 import ConnectionState, InterestState
from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked
from unora.safety.v1.projection_service_pb2 import BlockState
from unora_common.messages import (
    by_number,
    from_timestamp,
)

from unora_discovery.domain.pairs import (
    CardInterest,
    Connection,
    Exclusion,
    ExclusionReason,
    Interest,
    InterestClosure,
    MemberBlock,
    WaitingInterest,
    card_interest,
    connection_exclusions,
    interest_closed,
    interest_sent,
)
from unora_discovery.messages.servers import from_server_type

CLOSURE_NAMES: Final = by_number(matching_events_pb2.InterestClosure)


def from_block(event: MemberBlocked | MemberUnblocked, *, in_force: bool) -> MemberBlock:
    """A block or its lifting, from safety."""
    return MemberBlock(
        blocker_id=UUID(event.blocker_id),
        blocked_id=UUID(event.blocked_id),
        in_force=in_force,
        changed_at=from_timestamp(event.occurred_at),
    )


def from_interest(event: InterestSent | InterestClosed | InterestState) -> Interest:
    """An interest, from matching."""
    return Interest(
        interest_id=UUID(event.interest_id),
        version=event.version,
        sender_id=UUID(event.sender_id),
        receiver_id=UUID(event.receiver_id),
        server_type=from_server_type(event.server_type),
        card_id=UUID(event.card_id) if event.card_id else None,
    )


def from_closure(event: InterestClosed | InterestState) -> InterestClosure:
    """How an interest was closed."""
    return InterestClosure(CLOSURE_NAMES[event.closure])


def from_connection(event: ConnectionFormed | ConnectionEnded | ConnectionState) -> Connection:
    """A connection, from matching."""
    return Connection(
        connection_id=UUID(event.connection_id),
        version=event.version,
        user_ids=(UUID(event.user_a_id), UUID(event.user_b_id)),
    )


def from_block_state(state: BlockState) -> MemberBlock:
    """What safety told last of one member's blocks of another."""
    return MemberBlock(
        blocker_id=UUID(state.blocker_id),
        blocked_id=UUID(state.blocked_id),
        in_force=state.in_force,
        changed_at=from_timestamp(state.changed_at),
    )


def from_card_interest(state: InterestState) -> CardInterest | None:
    """What an interest says on its card. None if a matching of an earlier version does not tell the card."""
    if not state.closure:
        return card_interest(from_interest(state), None, from_timestamp(state.expires_at))
    return card_interest(from_interest(state), from_closure(state), from_timestamp(state.closed_at))


def from_interest_state(state: InterestState) -> tuple[Exclusion, WaitingInterest]:
    """What matching told of an interest, as its events are stored: with the end that only the first one says."""
    interest = from_interest(state)
    ends_at = from_timestamp(state.expires_at)
    if not state.closure:
        return interest_sent(interest, ends_at)
    exclusion, waiting = interest_closed(interest, from_closure(state))
    lifted = exclusion.reason is ExclusionReason.LIFTED
    apart_until = min(ends_at, from_timestamp(state.closed_at)) if lifted else ends_at
    return replace(exclusion, apart_until=apart_until), replace(waiting, waits_until=ends_at)


def from_partners(state: ConnectionState) -> tuple[Connection, bool]:
    """A connection, and whether it is active."""
    return from_connection(state), not state.HasField("ended_at")


def from_connection_state(state: ConnectionState) -> tuple[Exclusion, Exclusion]:
    """Whom a connection keeps apart."""
    connection, active = from_partners(state)
    reason = ExclusionReason.CONNECTED if active else ExclusionReason.ENDED
    return connection_exclusions(connection, reason)
