"""Connections: a pair in one server, from their mutual interest until one of the two ends it (MA-08, MA-09)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from unora_matching.domain.errors import ConnectionOver
from unora_matching.domain.events import ChatUnlocked, ConnectionEnded, ConnectionFormed, EndCause


class ConnectionStatus(StrEnum):
    """State of a connection."""

    ACTIVE = "active"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why it ended. It is stored, and never shown to the other member. A member cannot give the last three."""

    NOT_A_FIT = "not_a_fit"
    NO_TIME = "no_time"
    UNRESPONSIVE = "unresponsive"
    UNCOMFORTABLE = "uncomfortable"
    OTHER = "other"
    BLOCK = "block"
    SUSPENSION = "suspension"
    CLOSING = "closing"

    @property
    def cause(self) -> EndCause:
        """The cause that is published for this reason."""
        match self:
            case EndReason.BLOCK:
                return EndCause.BLOCK
            case EndReason.SUSPENSION:
                return EndCause.SUSPENSION
            case EndReason.CLOSING:
                return EndCause.CLOSING
            case _:
                return EndCause.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection. Who ended it and why is only stored: matching never reads it again."""

    id: UUID
    user_a_id: UUID  # the lower of the two
    user_b_id: UUID
    server_type: str
    connection_status: ConnectionStatus
    formed_at: datetime
    ended_at: datetime | None = None
    chat_unlocked_at: datetime | None = None
    version: int = 1  # one higher with each event

    @property
    def pair(self) -> tuple[UUID, UUID]:
        """The two, ordered by id."""
        return self.user_a_id, self.user_b_id

    def partner_of(self, member: UUID) -> UUID:
        """The other of the two."""
        return self.user_b_id if member == self.user_a_id else self.user_a_id


class EventHeader(TypedDict):
    """The fields that all events of a connection share."""

    connection_id: UUID
    version: int
    user_a_id: UUID
    user_b_id: UUID


def event_header(connection: Connection) -> EventHeader:
    """The common fields of the event that led to this state of the connection."""
    return EventHeader(
        connection_id=connection.id,
        version=connection.version,
        user_a_id=connection.user_a_id,
        user_b_id=connection.user_b_id,
    )


def form(
    connection_id: UUID, one: UUID, other: UUID, server_type: str, now: datetime
) -> tuple[Connection, ConnectionFormed]:
    """MA-08: orders the pair by id. `now` was read under the locks of both (MA-02)."""
    if one == other:
        raise ValueError("a member cannot connect with themselves")
    user_a_id, user_b_id = sorted((one, other))
    connection = Connection(
        id=connection_id,
        user_a_id=user_a_id,
        user_b_id=user_b_id,
        server_type=server_type,
        connection_status=ConnectionStatus.ACTIVE,
        formed_at=now,
    )
    return connection, ConnectionFormed(**event_header(connection), server_type=server_type, occurred_at=now)


def end(
    connection: Connection, by: UUID, cause: EndCause, acted_at: datetime, now: datetime
) -> tuple[Connection, ConnectionEnded]:
    """MA-09: members see the same neutral ending for every cause. `by` acted at `acted_at`; for a block, a
    suspension or a closing that is before `now`. Raises ConnectionOver if the connection has ended already.
    """
    if connection.connection_status is not ConnectionStatus.ACTIVE:
        raise ConnectionOver
    ended = replace(connection, connection_status=ConnectionStatus.ENDED, ended_at=now, version=connection.version + 1)
    event = ConnectionEnded(
        **event_header(ended),
        server_type=ended.server_type,
        ended_by_id=by,
        occurred_at=now,
        cause=cause,
        acted_at=min(acted_at, now),
    )
    return ended, event


def unlock_chat(
    connection: Connection, completed_at: datetime, now: datetime
) -> tuple[Connection, ChatUnlocked] | None:
    """ST-11: the two may chat since their streak was completed. None if the connection has ended or the chat is
    unlocked already.
    """
    if connection.connection_status is not ConnectionStatus.ACTIVE or connection.chat_unlocked_at is not None:
        return None
    since = min(completed_at, now)
    unlocked = replace(connection, chat_unlocked_at=since, version=connection.version + 1)
    return unlocked, ChatUnlocked(**event_header(unlocked), occurred_at=since)


def formed_until(connections: Iterable[Connection], until: datetime | None) -> list[Connection]:
    """The connections that were formed up to a moment; all of them if it is None."""
    return [connection for connection in connections if until is None or connection.formed_at <= until]
