"""ID-05, ID-06: signals of trust and Gov ID checks. They change only under the lock of their member's row."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.ids import uuid7
from unora_common.rows import Columns, from_row

from unora_identity.domain.signals import GovIdCheck, Outcome, Signal, SignalType

_SIGNAL = Columns("id", "signal_type", "provider", "outcome", "created_at", "decided_at")
_NEW_SIGNAL = _SIGNAL + Columns("user_id", "opaque_token")
_NEW_CHECK = Columns("id", "request_id", "profile_digest", "started_at")

ADD = f"""
    INSERT INTO identity.verification_signals ({_NEW_SIGNAL.names()}) VALUES ({_NEW_SIGNAL.parameters()})
    RETURNING {_SIGNAL.names()}"""
BY_MEMBER = f"""
    SELECT {_SIGNAL.names()} FROM identity.verification_signals
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY created_at, id"""
FIND = f"""
    SELECT {_SIGNAL.names()}, opaque_token FROM identity.verification_signals
    WHERE user_id = $1 AND signal_type = $2 AND provider = $3 AND deleted_at IS NULL"""
DECIDE = """
    UPDATE identity.verification_signals
    SET outcome = $2, opaque_token = $3, decided_at = CASE WHEN $2 = 'pending' THEN NULL ELSE $4::timestamptz END
    WHERE id = $1"""
VERIFIES_OTHER = """
    SELECT EXISTS (
        SELECT FROM identity.verification_signals
        WHERE signal_type = $1 AND provider = $2 AND opaque_token = $3 AND user_id <> $4
            AND outcome = 'verified' AND deleted_at IS NULL)"""
FIND_VERIFIED = """
    SELECT user_id FROM identity.verification_signals
    WHERE signal_type = $1 AND provider = $2 AND opaque_token = $3 AND outcome = 'verified' AND deleted_at IS NULL"""
ADD_BOOSTERS = """
    INSERT INTO identity.verification_signals
        (id, user_id, signal_type, provider, opaque_token, outcome, created_at, decided_at)
    SELECT id, user_id, 'booster', $3, '', 'verified', $4, $4 FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)
    ON CONFLICT DO NOTHING RETURNING id, user_id"""
ADD_CHECK = f"""
    INSERT INTO identity.gov_id_checks (user_id, provider, {_NEW_CHECK.names()})
    VALUES ($1, $2, {_NEW_CHECK.parameters(3)})"""
CHECKS = f"SELECT {_NEW_CHECK.names()}, outcome FROM identity.gov_id_checks WHERE user_id = $1"
CHECK_OWNER = "SELECT user_id FROM identity.gov_id_checks WHERE id = $1 AND provider = $2"
DECIDE_CHECK = "UPDATE identity.gov_id_checks SET outcome = $2, decided_at = $3 WHERE id = $1"


async def add(
    tx: Tx, user: UUID, kind: SignalType, provider: str, token: str, outcome: Outcome = Outcome.VERIFIED
) -> Signal:
    """Stores a new signal."""
    values = _NEW_SIGNAL.values_of(
        None,
        id=uuid7(),
        user_id=user,
        signal_type=kind,
        provider=provider,
        opaque_token=token,
        outcome=outcome,
        created_at=tx.now,
        decided_at=None if outcome is Outcome.PENDING else tx.now,
    )
    row = await tx.row(ADD, *values)
    assert row is not None
    return from_row(Signal, row)


async def list_by_member(session: Session, user: UUID) -> list[Signal]:
    """All signals of a member, oldest first."""
    return [from_row(Signal, row) for row in await session.rows(BY_MEMBER, user)]


async def find(tx: Tx, user: UUID, kind: SignalType, provider: str) -> tuple[Signal, str] | None:
    """A member's signal of this kind and provider, and its stored token."""
    row = await tx.row(FIND, user, kind, provider)
    return (from_row(Signal, row), row["opaque_token"]) if row else None


async def decide(tx: Tx, signal: Signal, outcome: Outcome, token: str) -> None:
    """Stores the outcome of a signal, which may be pending again."""
    await tx.run(DECIDE, signal.id, outcome, token, tx.now)


async def verifies_other(tx: Tx, kind: SignalType, provider: str, token: str, user: UUID) -> bool:
    """Whether the same token verifies another member."""
    found: bool = await tx.value(VERIFIES_OTHER, kind, provider, token, user)
    return found


async def find_verified(tx: Tx, kind: SignalType, provider: str, token: str) -> UUID | None:
    """ID-13: the member whom a token verifies. Only the begin of an erasure changes that, under the member's lock."""
    user: UUID | None = await tx.value(FIND_VERIFIED, kind, provider, token)
    return user


async def add_boosters(tx: Tx, users: Sequence[UUID], provider: str) -> dict[UUID, UUID]:
    """Stores a booster of each member that has none of this provider. Returns the new ones by member."""
    rows = await tx.rows(ADD_BOOSTERS, [uuid7() for _ in users], list(users), provider, tx.now)
    return {row["user_id"]: row["id"] for row in rows}


async def add_check(tx: Tx, check: GovIdCheck, user: UUID, provider: str) -> None:
    """Stores a check that begins."""
    await tx.run(ADD_CHECK, user, provider, *_NEW_CHECK.values_of(check))


async def list_checks(tx: Tx, user: UUID) -> list[GovIdCheck]:
    """All checks of a member."""
    return [from_row(GovIdCheck, row) for row in await tx.rows(CHECKS, user)]


async def find_check_owner(tx: Tx, reference: UUID, provider: str) -> UUID | None:
    """The member whose check it is. This never changes, so it can be read before the lock."""
    user: UUID | None = await tx.value(CHECK_OWNER, reference, provider)
    return user


async def decide_check(tx: Tx, check: UUID, outcome: Outcome) -> None:
    """Stores the outcome of a check."""
    await tx.run(DECIDE_CHECK, check, outcome, tx.now)
