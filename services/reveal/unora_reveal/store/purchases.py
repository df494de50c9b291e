"""What payments for reveals became (RE-05, BI-11)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

from unora_reveal.domain.purchases import Decision

IS_DECIDED = "SELECT EXISTS (SELECT FROM reveal.purchases WHERE payment_id = $1)"

INSERT = """
    INSERT INTO reveal.purchases (payment_id, reveal_id, given, decided_at) VALUES ($1, $2, $3, $4)"""

DELIVER = """
    UPDATE reveal.reveals SET reveal_status = 'purchased', completed_days = $2, version = version + 1 WHERE id = $1"""

# A rejection is an event of the reveal, so it raises its version.
REJECT = "UPDATE reveal.reveals SET version = version + 1 WHERE id = $1"


async def is_decided(tx: Tx, payment_id: UUID) -> bool:
    """Whether a payment was delivered or rejected before; asked under the pair's lock."""
    return bool(await tx.value(IS_DECIDED, payment_id))


async def save(tx: Tx, decision: Decision) -> None:
    """Stores what a payment became, and the reveal with it. The pair is locked."""
    reveal = decision.reveal
    await tx.run(INSERT, decision.payment_id, reveal.id, decision.delivered, tx.now)
    if decision.delivered:
        await tx.run(DELIVER, reveal.id, reveal.completed_days)
    else:
        await tx.run(REJECT, reveal.id)
