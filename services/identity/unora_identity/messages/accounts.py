"""Accounts and sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.identity.v1 import (
    account_service_pb2,
)
from unora.identity.v1.projection_service_pb2 import AccountState
from unora_common.database import Row
from unora_common.messages import TIERS, from_timestamp, to_timestamp

from unora_identity.domain.accounts import Account
from unora_identity.domain.card import Card
from unora_identity.domain.sessions import AccessToken, ActiveSession, RefreshToken


def to_account(account: Account, card: Card) -> account_service_pb2.Account:
    """An account as its owner sees it."""
    inventory = account.inventory
    return account_service_pb2.Account(
        user_id=str(account.id),
        created_at=to_timestamp(account.created_at),
        trust_level=card.trust_level,
        discovery_ready=card.ready,
        roles=account.roles,
        tier=TIERS[inventory.tier],
        active_connection_count=inventory.active_connection_count,
        connection_limit=inventory.connection_limit,
        last_global_refresh_at=to_timestamp(inventory.last_global_refresh_at),
        refresh_available_at=to_timestamp(inventory.refresh_available_at),
        suspended=account.suspended,
        paused_at=to_timestamp(account.paused_at),
    )


def to_session_tokens(
    access: AccessToken, refresh_text: str, refresh: RefreshToken
) -> account_service_pb2.SessionTokens:
    """The tokens of a session. This is the only time that the client gets the text of the refresh token."""
    return account_service_pb2.SessionTokens(
        access_token=access.text,
        access_expires_at=to_timestamp(access.expires_at),
        refresh_token=refresh_text,
        refresh_expires_at=to_timestamp(refresh.expires_at),
    )


def to_session(session: ActiveSession, current: UUID | None) -> account_service_pb2.Session:
    """A session as its member sees it. `current` is the session of the call."""
    return account_service_pb2.Session(
        session_id=str(session.id),
        started_at=to_timestamp(session.started_at),
        refreshed_at=to_timestamp(session.refreshed_at),
        current=session.id == current,
    )


def to_account_state(row: Row) -> AccountState:
    """Whether a member is away, for a projection."""
    return AccountState(
        user_id=str(row["id"]),
        version=row["version"],
        paused_at=to_timestamp(row["paused_at"]),
        closed_at=to_timestamp(row["closed_at"]),
        hidden_at=to_timestamp(row["hidden_at"]),
    )


def time_or_none(present: bool, timestamp: Timestamp) -> datetime | None:
    """A time of a message, or None if the message has no such field set."""
    return from_timestamp(timestamp) if present else None
