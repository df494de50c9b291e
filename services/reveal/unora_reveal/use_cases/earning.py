"""RE-01, RE-02, RE-03, RE-08: reveals are earned by days, by the tier that each member has."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

from unora_reveal.domain.streaks import Streak
from unora_reveal.messages import to_message
from unora_reveal.store import pairs, reveals, tiers


async def record_days(tx: Tx, streak: Streak, completed_days: int) -> None:
    """A streak began, or completed a day: what is due now is earned (RE-02).

    Events repeat and come in any order. The most days count, and the event that comes first makes the rows. After the
    end of the connection the rows are made too, and nothing is earned (RE-10).
    """
    progress = await pairs.advance(tx, streak, completed_days)
    if progress is None:
        # Tiers are locked before the pair. So either a change of tier at the same time sees the new progression, or
        # the progression begins with the new tier.
        await tiers.lock_or_create(tx, streak)
        await pairs.insert(tx, streak)
        progress = await pairs.link_and_advance(tx, streak, completed_days)
    if not progress.has_reveals:
        await reveals.insert_for_both(tx, streak)
    if not progress.ended:
        tx.emit(*map(to_message, await reveals.earn(tx, streak.id, progress.completed_days)))


async def change_tier(tx: Tx, user_id: UUID, tier: str, version: int) -> None:
    """RE-08: what is due by the new tier is earned at once, in all streaks of the member, and nothing is taken back.

    The reveals of the partners do not change (RE-03). An older version than the stored one changes nothing.
    """
    if not await tiers.save(tx, user_id, tier, version):
        return
    await pairs.lock_by_member(tx, user_id)
    await tiers.set_progressions(tx, user_id, tier)
    tx.emit(*map(to_message, await reveals.earn_by_member(tx, user_id)))
