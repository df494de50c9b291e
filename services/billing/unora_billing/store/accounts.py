"""Members' accounts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.copies import Copy
from unora_common.database import Session, Tx
from unora_common.due import Due, due_sql, find_due
from unora_common.rows import Columns, from_row

from unora_billing.domain.accounts import Account, new_account
from unora_billing.metrics import SUMMED_ACCOUNTS

STATE = Columns(
    "tier", "suspended", "standing_version", "version", "closed", "life_version", "keeps_credits", "last_closed_at"
)
"""What `save` stores. A trigger of the ledger changes the balance, and `set_customer` the customer."""
COLUMNS = Columns("user_id", "balance", "provider_customer_id") + STATE

STANDINGS = Copy(
    "billing.accounts",
    ["user_id"],
    ["t.suspended"],
    version="standing_version",
    forget="standing_version = -1",
    vanish="suspended = false, standing_version = 0",
)

CLOSINGS_COPY = Copy(
    "billing.accounts",
    ["user_id"],
    ["t.closed", "t.keeps_credits", "CASE WHEN t.closed THEN t.last_closed_at END"],
    version="life_version",
    forget="life_version = -1",
)

INSERT = """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    VALUES ($1, 'free', 0, false, 0, 0) ON CONFLICT (user_id) DO NOTHING"""

LOCK = f"""
    WITH a AS MATERIALIZED (SELECT * FROM billing.accounts WHERE user_id = $1 FOR UPDATE)
    SELECT {COLUMNS.names("a")}, clock.now() AS now FROM a"""

# Accounts that another transaction holds are skipped, and found by the next run.
LOCK_DUE = f"""
    WITH a AS MATERIALIZED (
        SELECT * FROM billing.accounts WHERE user_id = ANY (ARRAY(
            SELECT user_id FROM billing.subscriptions
            WHERE due_at <= (SELECT clock.now()) AND user_id <> ALL ($2)
                AND ($3::uuid IS NULL OR user_id = $3)
            ORDER BY due_at, id LIMIT $1))
        FOR UPDATE SKIP LOCKED)
    SELECT {COLUMNS.names("a")}, clock.now() AS now FROM a"""

SAVE_ALL = """
    UPDATE billing.accounts AS a
    SET tier = n.tier, suspended = n.suspended, standing_version = n.standing_version, version = n.version,
        closed = n.closed, life_version = n.life_version, keeps_credits = n.keeps_credits,
        last_closed_at = n.last_closed_at
    FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[], $6::boolean[], $7::bigint[],
            $8::boolean[], $9::timestamptz[])
        AS n (user_id, tier, suspended, standing_version, version, closed, life_version, keeps_credits, last_closed_at)
    WHERE a.user_id = n.user_id"""

GET = f"SELECT {COLUMNS.names()} FROM billing.accounts WHERE user_id = $1"

# A row without a version is only a lock so far: no event told of it.
LIST_AFTER = f"""
    SELECT {COLUMNS.names()} FROM billing.accounts WHERE user_id > $1 AND version > 0 ORDER BY user_id LIMIT $2"""

UPDATE = f"UPDATE billing.accounts SET {STATE.assignments(2)} WHERE user_id = $1"

SET_CUSTOMER = """
    UPDATE billing.accounts SET provider_customer_id = $2 WHERE user_id = $1 AND provider_customer_id IS NULL"""

DUE = due_sql("billing.subscriptions", "due_at")

# The largest balances first: those that are left out are small.
SUM_BALANCES = f"""
    SELECT coalesce(sum(balance), 0)::bigint FROM (
        SELECT balance FROM billing.accounts WHERE balance > 0 ORDER BY balance DESC LIMIT {SUMMED_ACCOUNTS}
    ) AS largest"""


async def lock_or_create(tx: Tx, user_id: UUID) -> Account:
    """Locks a member's account, which is created at the first use, and sets tx.now."""
    rows = await tx.lock(LOCK, user_id)
    if not rows:
        await tx.run(INSERT, user_id)
        rows = await tx.lock(LOCK, user_id)
    return from_row(Account, rows[0])


async def get(session: Session, user_id: UUID) -> Account:
    """A member's account; for a member who has never paid, a free one without credits."""
    row = await session.row(GET, user_id)
    return from_row(Account, row) if row else new_account(user_id)


async def list_after(session: Session, user_id: UUID, limit: int) -> list[Account]:
    """A page of the accounts that had an event, in the order of members' ids, after this member."""
    return [from_row(Account, row) for row in await session.rows(LIST_AFTER, user_id, limit)]


async def save(tx: Tx, account: Account) -> None:
    """Stores what has changed, except the balance and the customer."""
    await tx.run(UPDATE, account.user_id, *STATE.values_of(account))


async def lock_due(tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> dict[UUID, Account]:
    """Locks the accounts of the `limit` subscriptions that are due first, and sets tx.now; skips accounts that are
    locked, and those in `left_out`. With `only` it looks at this member's.
    """
    rows = await tx.lock(LOCK_DUE, limit, left_out, only)
    return {row["user_id"]: from_row(Account, row) for row in rows}


async def count_due(session: Session) -> Due:
    """The subscriptions that are due."""
    return await find_due(session, DUE)


async def sum_balances(session: Session) -> int:
    """The credits that all members hold; at most those of the SUMMED_ACCOUNTS members who hold most."""
    total: int = await session.value(SUM_BALANCES)
    return total


async def save_all(tx: Tx, changed: Sequence[Account]) -> None:
    """Stores what has changed in many, except balances and customers."""
    values = zip(*((each.user_id, *STATE.values_of(each)) for each in changed), strict=True)
    await tx.run(SAVE_ALL, *map(list, values))


async def set_customer(tx: Tx, user_id: UUID, customer: str) -> None:
    """Stores the member's id at the provider, once."""
    await tx.run(SET_CUSTOMER, user_id, customer)
