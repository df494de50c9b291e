"""DI-14: changes of tiers."""

from __future__ import annotations

from collections.abc import Sequence

from unora_common.database import Tx

from unora_discovery.domain.events import RefreshTimerChanged
from unora_discovery.domain.policy import Policy
from unora_discovery.domain.pool import TierNotice
from unora_discovery.domain.refresh import apply_tier
from unora_discovery.messages.events import to_message
from unora_discovery.store import members, pool


async def change_tiers(tx: Tx, tiers: Sequence[TierNotice], policy: Policy) -> None:
    """DI-14: newer tiers of members, one of each, count at once, for running timers as for later ones. Older ones are
    ignored.
    """
    timers = await members.lock_all(tx, [each.user_id for each in tiers])
    newer = await pool.project_tiers(tx, tiers)
    for each in tiers:
        timer = timers.get(each.user_id)
        if timer is None or each.user_id not in newer:
            continue
        changed = apply_tier(timer, each.tier, policy)
        if changed == timer:
            continue
        version = await members.save_timer(tx, each.user_id, changed)
        tx.emit(
            to_message(
                RefreshTimerChanged(
                    user_id=each.user_id,
                    version=version,
                    last_global_refresh_at=changed.last_global_refresh_at,
                    refresh_available_at=changed.refresh_available_at,
                    occurred_at=tx.now,
                )
            )
        )
