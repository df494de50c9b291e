"""Payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from unora_common.common_metrics import COUNT_LIMIT
from unora_common.database import Session, Tx
from unora_common.due import Due, due_sql, find_due
from unora_common.pages import Place
from unora_common.rows import Columns, from_row

from unora_billing.domain.errors import PaymentNotFound
from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import CURRENCY

FACTS = Columns(
    "id",
    "payer_id",
    "request_id",
    "purpose",
    "streak_id",
    "reveal_number",
    "plan",
    "renews_subscription_id",
    "created_at",
    "quoted_method",
)
STATE = Columns(
    "method",
    "amount",
    "status",
    "failure",
    "connection_id",
    "provider_payment_id",
    "succeeded_at",
    "due_at",
    "version",
)
COLUMNS = FACTS + STATE

INSERT = f"INSERT INTO billing.payments (currency, {COLUMNS.names()}) VALUES ($1, {COLUMNS.parameters(2)})"

UPDATE = f"UPDATE billing.payments SET {STATE.assignments(2)} WHERE id = $1"

LOCK = f"""
    WITH p AS MATERIALIZED (SELECT * FROM billing.payments WHERE id = $1 FOR UPDATE)
    SELECT {COLUMNS.names("p")}, clock.now() AS now FROM p"""

FIND = f"SELECT {COLUMNS.names()} FROM billing.payments WHERE id = $1"
GET = f"{FIND} AND payer_id = $2"
FIND_BY_CHARGE = f"SELECT {COLUMNS.names()} FROM billing.payments WHERE provider_payment_id = $1"
FIND_BY_REQUEST = f"SELECT {COLUMNS.names()} FROM billing.payments WHERE payer_id = $1 AND request_id = $2"

LIST_BY_PAYER = f"""
    SELECT {COLUMNS.names()} FROM billing.payments
    WHERE payer_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
    ORDER BY created_at DESC, id DESC LIMIT $4"""

FIND_OPEN_SUBSCRIPTION = f"""
    SELECT {COLUMNS.names()} FROM billing.payments
    WHERE payer_id = $1 AND purpose = 'subscription' AND status IN ('created', 'pending')"""

LIST_OPEN_SUBSCRIPTIONS = f"""
    SELECT {COLUMNS.names()} FROM billing.payments
    WHERE payer_id = ANY ($1) AND purpose = 'subscription' AND status IN ('created', 'pending')"""

RENEWED_SINCE = """
    SELECT EXISTS (
        SELECT FROM billing.payments
        WHERE payer_id = $1 AND renews_subscription_id = $2 AND status = 'applied' AND succeeded_at > $3)"""

CLAIM_DUE = """
    UPDATE billing.payments SET due_at = (SELECT clock.now()) + $2
    WHERE id IN (
        SELECT id FROM billing.payments WHERE due_at <= (SELECT clock.now())
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id"""

DUE = due_sql("billing.payments", "due_at")

# Those that are not settled; an index holds them alone. Of each status the first ones, by when they were created.
COUNT_OPEN = f"""
    SELECT status, count(*) AS payments,
        greatest(extract(epoch FROM clock.now() - min(since)), 0)::float8 AS oldest_seconds
    FROM unnest(ARRAY['created', 'pending', 'succeeded']) AS unsettled (status), LATERAL (
        SELECT coalesce(p.succeeded_at, p.created_at) AS since FROM billing.payments p
        WHERE p.status = unsettled.status AND p.status IN ('created', 'pending', 'succeeded')
        ORDER BY p.created_at LIMIT {COUNT_LIMIT}) AS first
    GROUP BY status"""

MAKE_OPEN_DUE = """
    UPDATE billing.payments SET due_at = $2
    WHERE payer_id = $1 AND status IN ('created', 'pending') AND ($3::timestamptz IS NULL OR created_at <= $3)"""


async def insert(tx: Tx, payment: Payment) -> None:
    """Stores a new payment. The database refuses a second one of the same payer and request id."""
    await tx.run(INSERT, CURRENCY, *COLUMNS.values_of(payment))


async def insert_all(tx: Tx, created: Sequence[Payment]) -> None:
    """Stores many new payments in one round trip."""
    await tx.run_many(INSERT, [(CURRENCY, *COLUMNS.values_of(each)) for each in created])


async def save(tx: Tx, payment: Payment) -> None:
    """Stores what has changed."""
    await tx.run(UPDATE, payment.id, *STATE.values_of(payment))


async def lock(tx: Tx, payment_id: UUID) -> Payment:
    """Locks a payment that is known to exist, and sets tx.now."""
    (row,) = await tx.lock(LOCK, payment_id)
    return from_row(Payment, row)


async def find(session: Session, payment_id: UUID) -> Payment | None:
    """A payment of any member."""
    row = await session.row(FIND, payment_id)
    return from_row(Payment, row) if row else None


async def find_by_charge(session: Session, provider_payment_id: str) -> Payment | None:
    """The payment that the provider knows by this id."""
    row = await session.row(FIND_BY_CHARGE, provider_payment_id)
    return from_row(Payment, row) if row else None


async def get(session: Session, payment_id: UUID, payer_id: UUID) -> Payment:
    """A member's payment. Raises PaymentNotFound, also for another member's (XX-04)."""
    row = await session.row(GET, payment_id, payer_id)
    if row is None:
        raise PaymentNotFound
    return from_row(Payment, row)


async def find_by_request(session: Session, payer_id: UUID, request_id: UUID) -> Payment | None:
    """The payment that a member's request created (BI-08)."""
    row = await session.row(FIND_BY_REQUEST, payer_id, request_id)
    return from_row(Payment, row) if row else None


async def find_open_subscription(session: Session, payer_id: UUID) -> Payment | None:
    """The member's open payment for a subscription; the database allows only one."""
    row = await session.row(FIND_OPEN_SUBSCRIPTION, payer_id)
    return from_row(Payment, row) if row else None


async def list_open_subscriptions(tx: Tx, payers: Sequence[UUID]) -> dict[UUID, Payment]:
    """The open payments for a subscription of these members, by member."""
    rows = await tx.rows(LIST_OPEN_SUBSCRIPTIONS, list(payers))
    return {row["payer_id"]: from_row(Payment, row) for row in rows}


async def list_by_payer(session: Session, payer_id: UUID, after: Place | None, limit: int) -> list[Payment]:
    """A member's payments, newest first."""
    created_at, payment_id = after or (None, None)
    rows = await session.rows(LIST_BY_PAYER, payer_id, created_at, payment_id, limit)
    return [from_row(Payment, row) for row in rows]


async def was_renewed_since(tx: Tx, payment: Payment, subscription_id: UUID) -> bool:
    """Whether a later payment renewed the subscription for which this payment was made."""
    return bool(await tx.value(RENEWED_SINCE, payment.payer_id, subscription_id, payment.succeeded_at))


async def make_open_due(tx: Tx, payer_id: UUID, until: datetime | None) -> None:
    """Makes the open payments of a member due now, under the lock of the account: those created until then (UTC), or
    all.
    """
    await tx.run(MAKE_OPEN_DUE, payer_id, tx.now, until)


async def claim_due(tx: Tx, limit: int, lease: timedelta) -> list[UUID]:
    """Payments that are due. Other replicas leave them alone for the time of the lease."""
    return [row["id"] for row in await tx.rows(CLAIM_DUE, limit, lease)]


async def count_due(session: Session) -> Due:
    """The payments that are due to be continued."""
    return await find_due(session, DUE)


async def count_open(session: Session) -> dict[str, tuple[int, float]]:
    """How many payments are not settled, up to COUNT_LIMIT of each status, and the age of the oldest in seconds."""
    return {row["status"]: (row["payments"], row["oldest_seconds"]) for row in await session.rows(COUNT_OPEN)}
