"""DI-08: Discovery stores age bands, so it needs an event when a birthday begins another band."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.card import age_band_changed
from unora_identity.domain.events import MemberEvent, event_headers
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import age_band_changes_at
from unora_identity.store import age_bands, members
from unora_identity.use_cases.member_events import emit_member_events


async def publish_age_bands(tx: Tx, locked: Mapping[UUID, LockedMember], policy: Policy) -> int:
    """Emits the age bands of members whom `age_bands.lock_due` has locked. Returns the number of those whose band has
    changed.
    """
    accounts = await members.list_by_id(tx, list(locked))
    following = {user: age_band_changes_at(each.member.profile, tx.now) for user, each in accounts.items()}
    changed = await age_bands.advance(tx, following)
    events: list[MemberEvent] = []
    for user in changed:
        headers = event_headers(locked[user], tx.now)
        events += age_band_changed(headers, accounts[user].member, tx.now, policy)
    await emit_member_events(tx, events)
    return len(changed)
