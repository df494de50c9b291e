"""The events that the payment provider sent by webhook, so that each is applied once (BI-07)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session, Tx

IS_RECORDED = "SELECT EXISTS (SELECT FROM billing.provider_events WHERE event_id = $1)"

# By the machine's clock, since no rule depends on when it came.
RECORD = """
    INSERT INTO billing.provider_events (event_id, kind, provider_payment_id, payment_id, outcome, received_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp()) ON CONFLICT (event_id) DO NOTHING"""


# Without locks, which would need the right to change a row: of two replicas the second waits, and finds them gone.
PURGE = """
    DELETE FROM billing.provider_events WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM billing.provider_events
        WHERE received_at < (SELECT clock_timestamp() - make_interval(days => $1))
        ORDER BY received_at LIMIT $2))"""


async def is_recorded(session: Session, event_id: str) -> bool:
    """Whether an event of the provider was applied before."""
    return bool(await session.value(IS_RECORDED, event_id))


async def record(
    tx: Tx, event_id: str, kind: str, provider_payment_id: str | None, payment_id: UUID | None, outcome: str
) -> bool:
    """Records an event of the provider with its outcome. False if it is recorded already (BI-07)."""
    return await tx.run(RECORD, event_id, kind, provider_payment_id, payment_id, outcome) == 1


async def purge(tx: Tx, days: int, limit: int) -> int:
    """Deletes events that came so long ago that the provider does not send them again, by the machine's clock."""
    return await tx.run(PURGE, days, limit)
