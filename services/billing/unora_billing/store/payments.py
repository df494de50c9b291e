"""Payments, and what the provider told of them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from unora_common.database import Row, Session, Tx
from unora_common.pages import Place

from unora_billing.domain.errors import PaymentNotFound
from unora_billing.domain.payments import Failure, Method, Payment, Status
from unora_billing.domain.policy import CURRENCY, Purpose, Tier

COLUMNS = """
    p.id, p.payer_id, p.request_id, p.purpose, p.method, p.amount, p.streak_id, p.reveal_number, p.plan,
    p.renews_subscription_id, p.status, p.failure, p.connection_id, p.provider_payment_id, p.created_at, p.succeeded_at,
    p.due_at, p.version"""

INSERT = """
    INSERT INTO billing.payments (
        id, payer_id, request_id, purpose, method, amount, currency, streak_id, reveal_number, plan,
        renews_subscription_id, status, created_at, due_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'created', $12, $13, 1)"""

LOCK = f"""
    WITH p AS MATERIALIZED (SELECT * FROM billing.payments WHERE id = $1 FOR UPDATE)
    SELECT {COLUMNS}, clock.now() AS now FROM p"""

SAVE = """
    UPDATE billing.payments SET method = $2, amount = $3, status = $4, failure = $5, connection_id = $6,
        provider_payment_id = $7, succeeded_at = $8, due_at = $9, version = $10 WHERE id = $1"""

ONE = f"SELECT {COLUMNS} FROM billing.payments p WHERE id = $1"
OF_PAYER = f"SELECT {COLUMNS} FROM billing.payments p WHERE id = $1 AND payer_id = $2"
OF_REQUEST = f"SELECT {COLUMNS} FROM billing.payments p WHERE payer_id = $1 AND request_id = $2"

LIST = f"""
    SELECT {COLUMNS} FROM billing.payments p
    WHERE payer_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
    ORDER BY created_at DESC, id DESC LIMIT $4"""

OPEN_SUBSCRIPTION = f"""
    SELECT {COLUMNS} FROM billing.payments p
    WHERE payer_id = $1 AND purpose = 'subscription' AND status IN ('created', 'pending')"""

CLAIM_DUE = """
    UPDATE billing.payments SET due_at = (SELECT clock.now()) + $2
    WHERE id IN (
        SELECT id FROM billing.payments WHERE due_at <= (SELECT clock.now())
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id"""

NOTE_EVENT = """
    INSERT INTO billing.provider_events (event_id, kind, provider_payment_id, payment_id, outcome, received_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp()) ON CONFLICT (event_id) DO NOTHING"""

KNOWS_EVENT = "SELECT EXISTS (SELECT FROM billing.provider_events WHERE event_id = $1)"


async def insert(tx: Tx, payment: Payment) -> None:
    """Records a payment; a second of the same payer and request id is refused by the database."""
    target = (payment.streak_id, payment.reveal_number, payment.plan, payment.renews_subscription_id)
    asked = (payment.purpose, payment.method, payment.amount, CURRENCY)
    times = (payment.created_at, payment.due_at)
    await tx.run(INSERT, payment.id, payment.payer_id, payment.request_id, *asked, *target, *times)


async def lock(tx: Tx, payment_id: UUID) -> Payment | None:
    """Locks a payment and sets tx.now."""
    rows = await tx.lock(LOCK, payment_id)
    return _payment(rows[0]) if rows else None


async def save(tx: Tx, payment: Payment) -> None:
    """Stores what moved."""
    moved = (payment.method, payment.amount, payment.status, payment.failure, payment.connection_id)
    rest = (payment.provider_payment_id, payment.succeeded_at, payment.due_at, payment.version)
    await tx.run(SAVE, payment.id, *moved, *rest)


async def find(session: Session, payment_id: UUID) -> Payment | None:
    """A payment, whoever pays."""
    row = await session.row(ONE, payment_id)
    return _payment(row) if row else None


async def of_payer(session: Session, payment_id: UUID, payer_id: UUID) -> Payment:
    """A member's payment; another's and a missing one are the same to the caller (XX-04)."""
    row = await session.row(OF_PAYER, payment_id, payer_id)
    if row is None:
        raise PaymentNotFound
    return _payment(row)


async def of_request(session: Session, payer_id: UUID, request_id: UUID) -> Payment | None:
    """The payment that a request made (BI-08)."""
    row = await session.row(OF_REQUEST, payer_id, request_id)
    return _payment(row) if row else None


async def page(session: Session, payer_id: UUID, after: Place | None, limit: int) -> list[Payment]:
    """A member's payments, newest first."""
    at, identifier = after or (None, None)
    return [_payment(row) for row in await session.rows(LIST, payer_id, at, identifier, limit)]


async def open_subscription(tx: Tx, payer_id: UUID) -> Payment | None:
    """The payment for a subscription that is under way; the database lets there be one."""
    row = await tx.row(OPEN_SUBSCRIPTION, payer_id)
    return _payment(row) if row else None


async def claim_due(tx: Tx, limit: int, lease: timedelta) -> list[UUID]:
    """Payments on which something is to be done, left alone by other replicas for a while."""
    return [row["id"] for row in await tx.rows(CLAIM_DUE, limit, lease)]


async def knows_event(session: Session, event_id: str) -> bool:
    """Whether an event of the provider was taken before."""
    return bool(await session.value(KNOWS_EVENT, event_id))


async def note_event(
    tx: Tx, event_id: str, kind: str, provider_id: str | None, payment_id: UUID | None, outcome: str
) -> None:
    """Notes an event of the provider, unless it was (BI-07); by the machine's time, as no rule knows when it came."""
    await tx.run(NOTE_EVENT, event_id, kind, provider_id, payment_id, outcome)


def _payment(row: Row) -> Payment:
    return Payment(
        id=row["id"],
        payer_id=row["payer_id"],
        request_id=row["request_id"],
        purpose=Purpose(row["purpose"]),
        method=Method(row["method"]),
        amount=row["amount"],
        streak_id=row["streak_id"],
        reveal_number=row["reveal_number"],
        plan=Tier(row["plan"]) if row["plan"] else None,
        renews_subscription_id=row["renews_subscription_id"],
        status=Status(row["status"]),
        failure=Failure(row["failure"]) if row["failure"] else None,
        connection_id=row["connection_id"],
        provider_payment_id=row["provider_payment_id"],
        created_at=row["created_at"],
        succeeded_at=row["succeeded_at"],
        due_at=row["due_at"],
        version=row["version"],
    )
