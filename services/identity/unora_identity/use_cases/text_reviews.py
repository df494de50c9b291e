"""PR-10: texts that are there already are judged when the name or birth date of their author changes, and when the
guard has become better. What strangers may not see is hidden; readiness stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar
from uuid import UUID

from unora_common.database import Tx
from unora_text.contact import GUARD_VERSION

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.card import card_changed, make_card
from unora_identity.domain.contact_details import reviewed
from unora_identity.domain.events import MemberEvent, TextsReviewed, event_headers
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Profile
from unora_identity.store import members, profiles, text_checks
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.member_update import MemberUpdate

T = TypeVar("T")
_READER: Final = ThreadPoolExecutor(1, "read-texts")


async def read(guard: Callable[[Sequence[Hobby], Profile], T], hobbies: Sequence[Hobby], profile: Profile) -> T:
    """What the guard says of texts. The most hostile hobbies take it 0.1 s of processor time. So one thread reads all
    texts of the process: other calls go on meanwhile, however many such hobbies are sent.
    """
    return await asyncio.get_running_loop().run_in_executor(_READER, guard, hobbies, profile)


async def review_texts(update: MemberUpdate) -> None:
    """Judges the texts of a member whose profile changes, and stores which are hidden. Emits TextsReviewed if the
    member has a card: cards that were dealt may show texts that are stored nowhere else, and not judged with these.
    """
    tx, after = update.tx, update.after
    hobbies = await read(reviewed, after.hobbies, after.profile)
    update.change_to(replace(after, hobbies=hobbies))
    await profiles.save_hidden(tx, {tx.user: hobbies})
    await text_checks.mark_checked(tx, [tx.user], GUARD_VERSION)
    if make_card(update.after, tx.now, update.policy).contents:
        update.events.append(TextsReviewed(**next(update.headers)))


async def lock_due_texts(tx: Tx, limit: int, left_out: Sequence[UUID], only: UUID | None) -> dict[UUID, LockedMember]:
    """Locks members whose texts this guard has not judged: see `text_checks.lock_due`."""
    return await text_checks.lock_due(tx, GUARD_VERSION, limit, left_out, only)


async def review_due_texts(tx: Tx, locked: Mapping[UUID, LockedMember], policy: Policy) -> int:
    """Judges the texts of members whom `lock_due_texts` has locked. Returns the number of those whose texts this
    guard had not judged.
    """
    accounts = await members.list_by_id(tx, list(locked))
    due = await text_checks.mark_checked(tx, list(locked), GUARD_VERSION)
    events: list[MemberEvent] = []
    hidden = {}
    for user in due:
        before = accounts[user].member
        after = replace(before, hobbies=await read(reviewed, before.hobbies, before.profile))
        headers = event_headers(locked[user], tx.now)
        if after != before:
            hidden[user] = after.hobbies
        if make_card(after, tx.now, policy).contents:
            events.append(TextsReviewed(**next(headers)))
        events += card_changed(headers, before, after, tx.now, policy)
    await profiles.save_hidden(tx, hidden)
    await emit_member_events(tx, events)
    return len(due)
