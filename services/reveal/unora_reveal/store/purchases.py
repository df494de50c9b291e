"""What became of payments for reveals (RE-05, BI-11)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

from unora_reveal.messages import to_verdict
from unora_reveal.store.reveals import Stored

DECIDED = "SELECT EXISTS (SELECT FROM reveal.purchases WHERE payment_id = $1)"

DECIDE = """
    INSERT INTO reveal.purchases (payment_id, reveal_id, given, decided_at) VALUES ($1, $2, $3, $4)"""

GIVE = """
    UPDATE reveal.reveals SET reveal_status = 'purchased', completed_days = $2, version = version + 1 WHERE id = $1"""

# The rejection is told of the reveal, so it takes a version of it.
REJECT = "UPDATE reveal.reveals SET version = version + 1 WHERE id = $1"


async def decided(tx: Tx, payment_id: UUID) -> bool:
    """Whether it is settled already what became of a payment; asked under the pair's lock."""
    return bool(await tx.value(DECIDED, payment_id))


async def decide(tx: Tx, payment_id: UUID, reveal: Stored, *, given: bool) -> None:
    """Gives the reveal, which is locked, or rejects the payment; for good, and tells it."""
    await tx.run(DECIDE, payment_id, reveal.id, given, tx.now)
    if given:
        await tx.run(GIVE, reveal.id, reveal.completed_days)
    else:
        await tx.run(REJECT, reveal.id)
    whose = (reveal.id, reveal.version + 1, reveal.streak_id, reveal.user_id, reveal.number)
    tx.emit(to_verdict(payment_id, *whose, tx.now, given=given))
