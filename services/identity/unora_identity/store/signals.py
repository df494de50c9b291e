"""Signals of trust, and the checks of a Gov ID that were begun (ID-05, ID-06), under the lock of their member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.ids import uuid7

from unora_identity.domain.signals import Outcome, Signal, SignalType

_COLUMNS = "id, signal_type, provider, outcome, created_at, decided_at"
ADD = f"""
    INSERT INTO identity.verification_signals
        (id, user_id, signal_type, provider, opaque_token, outcome, created_at, decided_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}"""
OF_MEMBER = f"""
    SELECT {_COLUMNS} FROM identity.verification_signals
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY created_at, id"""
FIND = f"""
    SELECT {_COLUMNS}, opaque_token FROM identity.verification_signals
    WHERE user_id = $1 AND signal_type = $2 AND provider = $3 AND deleted_at IS NULL"""
DECIDE = """
    UPDATE identity.verification_signals
    SET outcome = $2, opaque_token = $3, decided_at = CASE WHEN $2 = 'pending' THEN NULL ELSE $4::timestamptz END
    WHERE id = $1"""
TAKEN = """
    SELECT EXISTS (
        SELECT FROM identity.verification_signals
        WHERE signal_type = $1 AND provider = $2 AND opaque_token = $3 AND user_id <> $4
            AND outcome = 'verified' AND deleted_at IS NULL)"""
BOOST = """
    INSERT INTO identity.verification_signals
        (id, user_id, signal_type, provider, opaque_token, outcome, created_at, decided_at)
    SELECT id, user_id, 'booster', $3, '', 'verified', $4, $4 FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)
    ON CONFLICT DO NOTHING RETURNING id, user_id"""
BEGIN = """
    INSERT INTO identity.gov_id_checks (id, user_id, request_id, provider, profile_digest, started_at)
    VALUES ($1, $2, $3, $4, $5, $6)"""
CHECKS = "SELECT id, request_id, profile_digest, started_at, outcome FROM identity.gov_id_checks WHERE user_id = $1"
OWNER = "SELECT user_id FROM identity.gov_id_checks WHERE id = $1 AND provider = $2"
FINISH = "UPDATE identity.gov_id_checks SET outcome = $2, decided_at = $3 WHERE id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check of a Gov ID; its id is the reference that the provider knows."""

    id: UUID
    request_id: UUID
    profile_digest: bytes
    started_at: datetime
    outcome: Outcome | None


async def add(
    tx: Tx, user: UUID, kind: SignalType, provider: str, token: str, outcome: Outcome = Outcome.VERIFIED
) -> Signal:
    """Keeps a new signal."""
    decided_at = None if outcome is Outcome.PENDING else tx.now
    row = await tx.row(ADD, uuid7(), user, kind, provider, token, outcome, tx.now, decided_at)
    assert row is not None
    return _signal(row)


async def of_member(session: Session, user: UUID) -> list[Signal]:
    """All signals of a member, oldest first."""
    return [_signal(row) for row in await session.rows(OF_MEMBER, user)]


async def find(tx: Tx, user: UUID, kind: SignalType, provider: str) -> tuple[Signal, str] | None:
    """A member's signal of this kind and provider, and the token that is kept of it."""
    row = await tx.row(FIND, user, kind, provider)
    return (_signal(row), row["opaque_token"]) if row else None


async def decide(tx: Tx, signal: Signal, outcome: Outcome, token: str) -> None:
    """A signal came out, or is open again."""
    await tx.run(DECIDE, signal.id, outcome, token, tx.now)


async def taken(tx: Tx, kind: SignalType, provider: str, token: str, user: UUID) -> bool:
    """Whether the same token verifies somebody else."""
    found: bool = await tx.value(TAKEN, kind, provider, token, user)
    return found


async def boost(tx: Tx, users: Sequence[UUID], what: str) -> dict[UUID, UUID]:
    """Keeps a booster of each of these who has none of this kind; returns the new ones by member."""
    rows = await tx.rows(BOOST, [uuid7() for _ in users], list(users), what, tx.now)
    return {row["user_id"]: row["id"] for row in rows}


async def begin(tx: Tx, check: Check, user: UUID, provider: str) -> None:
    """Keeps that a check was begun."""
    await tx.run(BEGIN, check.id, user, check.request_id, provider, check.profile_digest, check.started_at)


async def checks(tx: Tx, user: UUID) -> list[Check]:
    """All checks of a member."""
    return [
        Check(**{**row, "outcome": Outcome(row["outcome"]) if row["outcome"] else None})
        for row in await tx.rows(CHECKS, user)
    ]


async def owner(tx: Tx, reference: UUID, provider: str) -> UUID | None:
    """Whose check it is; this never changes, so it can be read before the lock."""
    user: UUID | None = await tx.value(OWNER, reference, provider)
    return user


async def finish(tx: Tx, check: UUID, outcome: Outcome) -> None:
    """A check came out."""
    await tx.run(FINISH, check, outcome, tx.now)


def _signal(row: Row) -> Signal:
    return Signal(
        id=row["id"],
        type=SignalType(row["signal_type"]),
        provider=row["provider"],
        outcome=Outcome(row["outcome"]),
        created_at=row["created_at"],
        decided_at=row["decided_at"],
    )
