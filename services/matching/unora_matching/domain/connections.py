"""Connections: a pair in one server, from their mutual interest until either ends it (MA-08, MA-09)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from unora_matching.domain.errors import ConnectionOver


class ConnectionStatus(StrEnum):
    """State of a connection."""

    ACTIVE = "active"
    ENDED = "ended"


class EndCause(StrEnum):
    """What ended it, for credits and safety; never shown to the members."""

    MEMBER = "member"
    BLOCK = "block"
    SUSPENSION = "suspension"


class EndReason(StrEnum):
    """Why it ended; kept, and never shown to the other. The last two no member gives."""

    NOT_A_FIT = "not_a_fit"
    NO_TIME = "no_time"
    UNRESPONSIVE = "unresponsive"
    UNCOMFORTABLE = "uncomfortable"
    OTHER = "other"
    BLOCK = "block"
    SUSPENSION = "suspension"

    @property
    def cause(self) -> EndCause:
        """Which of the three ways to end this reason belongs to."""
        match self:
            case EndReason.BLOCK:
                return EndCause.BLOCK
            case EndReason.SUSPENSION:
                return EndCause.SUSPENSION
            case _:
                return EndCause.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection, without by whom and why it ended: that is stored, and read by nobody here."""

    id: UUID
    user_a_id: UUID  # the lower of the two
    user_b_id: UUID
    server_type: str
    status: ConnectionStatus
    formed_at: datetime
    ended_at: datetime | None = None
    chat_unlocked_at: datetime | None = None
    version: int = 1  # one higher with each event

    @property
    def pair(self) -> tuple[UUID, UUID]:
        """The two, ordered."""
        return self.user_a_id, self.user_b_id

    def partner_of(self, member: UUID) -> UUID:
        """The other of the two."""
        return self.user_b_id if member == self.user_a_id else self.user_a_id


def form(connection_id: UUID, one: UUID, other: UUID, server_type: str, now: datetime) -> Connection:
    """MA-08: the pair is ordered by id. `now` was read under the locks of both (MA-02)."""
    if one == other:
        raise ValueError("nobody connects with themselves")
    user_a_id, user_b_id = sorted((one, other))
    return Connection(
        id=connection_id,
        user_a_id=user_a_id,
        user_b_id=user_b_id,
        server_type=server_type,
        status=ConnectionStatus.ACTIVE,
        formed_at=now,
    )


def end(connection: Connection, now: datetime) -> Connection:
    """MA-09: one neutral ending, whatever its cause."""
    if connection.status is not ConnectionStatus.ACTIVE:
        raise ConnectionOver
    return replace(connection, status=ConnectionStatus.ENDED, ended_at=now, version=connection.version + 1)


def unlock_chat(connection: Connection, completed_at: datetime, now: datetime) -> Connection | None:
    """ST-11: the two may chat since their day 15. None if there is nothing to unlock: it has ended, or it was done."""
    if connection.status is not ConnectionStatus.ACTIVE or connection.chat_unlocked_at is not None:
        return None
    return replace(connection, chat_unlocked_at=min(completed_at, now), version=connection.version + 1)
