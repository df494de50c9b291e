"""PR-01, PR-05, PR-10, ID-08: changing the profile and the hobbies of a member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from unora_common.database import Tx
from unora_text.contact import GUARD_VERSION

from unora_identity.domain.contact_details import require_no_contact
from unora_identity.domain.events import UnderAgeDateReplaced
from unora_identity.domain.hobbies import Hobby, clean_hobbies
from unora_identity.domain.onboarding import Member
from unora_identity.domain.places import settle_place
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import (
    Profile,
    UnderAge,
    clean_profile,
    require_locked_unchanged,
    without_refused_date,
)
from unora_identity.providers.places import Places
from unora_identity.store import profiles, text_checks
from unora_identity.use_cases.member_update import MemberUpdate, update_member
from unora_identity.use_cases.text_reviews import read, review_texts


async def update_profile(tx: Tx, policy: Policy, places: Places, change: Callable[[Profile], Profile]) -> Member:
    """PR-01, ID-08: stores what `change` makes of the caller's profile, with the city of its place (PR-11). Fields that
    a verified Gov ID locked stay (ID-07). Words of hobbies that would tell how to reach or name the member under the
    new name or birth date are hidden (PR-10). Returns the member after it.

    After a refusal for the age the transaction commits all the same: see `_remember_refused_date`.
    """
    async with update_member(tx, tx.user, policy) as update:
        before = update.before.profile
        wanted = settle_place(before, change(before), places.find)
        try:
            profile = clean_profile(wanted, tx.now, policy, before)
        except UnderAge as refusal:
            if update.before.gov_id_verified:
                require_locked_unchanged(before, wanted)
            remaining = without_refused_date(before, wanted, tx.now, policy)
            if update.before.gov_id_verified or remaining is None:
                raise
            await _remember_refused_date(update, remaining)
            tx.refuse(refusal)
            return update.after
        if update.before.gov_id_verified:
            require_locked_unchanged(before, profile)
        update.change_to(replace(update.before, profile=profile))
        await profiles.save_profile(tx, tx.user, profile)
        if (before.name, before.date_of_birth) != (profile.name, profile.date_of_birth):
            await review_texts(update)
        if before.date_of_birth != profile.date_of_birth:
            _tell_replaced_date(update)
        return update.after


async def set_hobbies(tx: Tx, policy: Policy, chosen: Sequence[Hobby]) -> tuple[Hobby, ...]:
    """PR-05, PR-10: replaces the caller's hobbies. Refuses words that tell how to reach or name the caller."""
    options = {option.id for option in await profiles.list_options(tx)}
    async with update_member(tx, tx.user, policy) as update:
        hobbies = clean_hobbies(chosen, options, policy)
        await read(require_no_contact, hobbies, update.before.profile)
        update.change_to(replace(update.before, hobbies=hobbies))
        await profiles.save_hobbies(tx, tx.user, hobbies)
        await text_checks.mark_checked(tx, [tx.user], GUARD_VERSION)
    return hobbies


async def _remember_refused_date(update: MemberUpdate, remaining: Profile) -> None:
    """ID-08: of a date that is refused for the age only the fact is stored, and nothing of the call. A stored date that
    `remaining` lacks is removed: it was refused now that its zone came.
    """
    update.change_to(replace(update.before, profile=remaining, birth_date_refused=True))
    keep = remaining.date_of_birth is not None
    await profiles.refuse_birth_date(update.tx, update.tx.user, keep=keep)
    _tell_replaced_date(update)


def _tell_replaced_date(update: MemberUpdate) -> None:
    """ID-08, SA-04: tells moderators of a member who has a date of birth after another one was refused as under age."""
    if update.after.birth_date_refused and update.after.profile.date_of_birth is not None:
        update.events.append(UnderAgeDateReplaced(**next(update.headers)))
