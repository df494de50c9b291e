"""DI-08: Discovery stores age bands, so it needs an event when a birthday begins another band."""

from __future__ import annotations

from unora_common.database import Database

from unora_identity.domain.card import age_band_changed
from unora_identity.domain.events import MemberEvent, event_headers
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import age_band_changes_at
from unora_identity.store import age_bands, members
from unora_identity.use_cases.member_events import emit_member_events


async def publish_age_bands(database: Database, policy: Policy, limit: int) -> int:
    """Takes members whose age band has changed and emits it. Returns their number."""
    async with database.transaction() as tx:
        locked = await age_bands.lock_due(tx, limit)
        if not locked:
            return 0
        accounts = await members.list_by_id(tx, list(locked))
        following = {user: age_band_changes_at(each.member.profile, tx.now) for user, each in accounts.items()}
        changed = await age_bands.advance(tx, following)
        events: list[MemberEvent] = []
        for user in changed:
            headers = event_headers(locked[user], tx.now)
            events += age_band_changed(headers, accounts[user].member, tx.now, policy)
        await emit_member_events(tx, events)
    return len(changed)
