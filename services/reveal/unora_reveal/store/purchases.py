"""What a member can buy, and what was bought (RE-05)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from unora_common.database import Session, Tx

from unora_reveal.domain import Offer, Status, StreakNotFound
from unora_reveal.messages import to_verdict
from unora_reveal.store.reveals import Stored

SHELF = """
    SELECT r.connection_id, r.partner_id, r.reveal_number, r.reveal_status, p.ended_at IS NOT NULL AS ended,
           m.reveal_day_required IS NULL AS for_sale
    FROM reveal.reveals r
    JOIN reveal.pairs p USING (connection_id)
    JOIN reveal.progressions g ON g.streak_id = r.streak_id AND g.user_id = r.user_id
    JOIN reveal.reveal_milestones m ON m.tier = g.tier AND m.reveal_number = r.reveal_number
    WHERE r.streak_id = $1 AND r.user_id = $2 AND r.deleted_at IS NULL
    ORDER BY r.reveal_number"""

DECIDED = "SELECT EXISTS (SELECT FROM reveal.purchases WHERE payment_id = $1)"

DECIDE = """
    INSERT INTO reveal.purchases (payment_id, reveal_id, given, decided_at) VALUES ($1, $2, $3, $4)"""

GIVE = """
    UPDATE reveal.reveals SET reveal_status = 'purchased', completed_days = $2, version = version + 1 WHERE id = $1"""

# The rejection is told of the reveal, so it takes a version of it.
REJECT = "UPDATE reveal.reveals SET version = version + 1 WHERE id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A member's five reveals in one streak, as the shop sees them."""

    connection_id: UUID
    partner_id: UUID
    ended: bool
    offers: tuple[Offer, ...]


async def shelf(session: Session, streak_id: UUID, member: UUID) -> Shelf:
    """By the member's own tier (RE-03); another's streak is none (XX-04)."""
    rows = await session.rows(SHELF, streak_id, member)
    if not rows:
        raise StreakNotFound
    return Shelf(
        connection_id=rows[0]["connection_id"],
        partner_id=rows[0]["partner_id"],
        ended=rows[0]["ended"],
        offers=tuple(
            Offer(number=row["reveal_number"], status=Status(row["reveal_status"]), for_sale=row["for_sale"])
            for row in rows
        ),
    )


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
