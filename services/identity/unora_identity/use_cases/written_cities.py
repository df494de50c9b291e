"""PR-11: a city that was written becomes the place that it means, where that is certain. Other members are asked again:
their city is shown to nobody, and they stay discovery-ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.accounts import Account, LockedMember
from unora_identity.domain.card import card_changed
from unora_identity.domain.events import MemberEvent, event_headers
from unora_identity.domain.places import Place, place_meant
from unora_identity.domain.policy import Policy
from unora_identity.providers.places import Places
from unora_identity.store import members, written_cities
from unora_identity.use_cases.member_events import emit_member_events


async def place_written_cities(tx: Tx, locked: Mapping[UUID, LockedMember], policy: Policy, places: Places) -> int:
    """Seeks the cities of members whom `written_cities.lock_next` has locked in the list, and emits the changes of
    their cards. Returns their number.

    A run that dies leaves its members for the next one. With a new version of the list, all who have not chosen yet are
    sought once more.
    """
    accounts = await members.list_by_id(tx, list(locked))
    found = {user: place for user, each in accounts.items() if (place := _sought(each, places))}
    events: list[MemberEvent] = []
    for user, place in found.items():
        before = accounts[user].member
        profile = replace(before.profile, city=place.name, place_id=place.id, country=place.country)
        after = replace(before, profile=profile)
        events += card_changed(event_headers(locked[user], tx.now), before, after, tx.now, policy)
    await written_cities.save_places(tx, found)
    await written_cities.mark_sought(tx, list(locked), places.version)
    await emit_member_events(tx, events)
    return len(locked)


def _sought(account: Account, places: Places) -> Place | None:
    profile = account.member.profile
    return place_meant(profile.city, profile.time_zone, places.named(profile.city)) if profile.city_to_choose else None
