"""DI-14: a change of tier."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx

from unora_discovery.domain.events import RefreshTimerChanged
from unora_discovery.domain.policy import Policy
from unora_discovery.domain.pool import Tier
from unora_discovery.domain.refresh import apply_tier
from unora_discovery.messages import to_message
from unora_discovery.store import members, pool


async def change_tier(tx: Tx, user_id: UUID, version: int, tier: Tier, policy: Policy) -> None:
    """DI-14: a member's newer tier counts at once, for the running timer as for later ones. An older one is ignored."""
    timer = await members.lock(tx, user_id)
    newer = await pool.project_tier(tx, user_id, version, tier)
    if timer is None or not newer:
        return
    changed = apply_tier(timer, tier, policy)
    if changed == timer:
        return
    member_version = await members.save_timer(tx, user_id, changed)
    tx.emit(
        to_message(
            RefreshTimerChanged(
                user_id=user_id,
                version=member_version,
                last_global_refresh_at=changed.last_global_refresh_at,
                refresh_available_at=changed.refresh_available_at,
                occurred_at=tx.now,
            )
        )
    )
