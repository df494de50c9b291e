"""PR-01, PR-05: changing the profile and the hobbies of a member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from unora_common.database import Tx

from unora_identity.domain.hobbies import Hobby, clean_hobbies
from unora_identity.domain.places import settle_place
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Profile, clean_profile, require_locked_unchanged
from unora_identity.providers.places import Places
from unora_identity.store import profiles
from unora_identity.use_cases.member_update import update_member


async def update_profile(tx: Tx, policy: Policy, places: Places, change: Callable[[Profile], Profile]) -> Profile:
    """PR-01, ID-08: stores what `change` makes of the caller's profile, with the city of its place (PR-11). Fields that
    a verified Gov ID locked stay (ID-07).
    """
    async with update_member(tx, tx.user, policy) as update:
        before = update.before.profile
        profile = clean_profile(settle_place(before, change(before), places.find), tx.now, policy)
        if update.before.gov_id_verified:
            require_locked_unchanged(before, profile)
        update.change_to(replace(update.before, profile=profile))
        await profiles.save_profile(tx, tx.user, profile)
    return profile


async def set_hobbies(tx: Tx, policy: Policy, chosen: Sequence[Hobby]) -> tuple[Hobby, ...]:
    """PR-05: replaces the caller's hobbies."""
    options = {option.id for option in await profiles.list_options(tx)}
    async with update_member(tx, tx.user, policy) as update:
        hobbies = clean_hobbies(chosen, options, policy)
        update.change_to(replace(update.before, hobbies=hobbies))
        await profiles.save_hobbies(tx, tx.user, hobbies)
    return hobbies
