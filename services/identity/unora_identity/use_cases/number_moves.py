"""ID-13: an account loses its number to a new account; ID-09, ID-13: an account is open again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import (
    AccountHidden,
    AccountReopened,
    EventHeader,
    MemberEvent,
    PhoneChanged,
    event_headers,
)
from unora_identity.domain.number_proof import Holder, Judgement, Standing, judge
from unora_identity.domain.phone_codes import StoredChallenge
from unora_identity.resources import Resources
from unora_identity.store import accounts, holders
from unora_identity.use_cases.away import card_turned
from unora_identity.use_cases.closing import leave
from unora_identity.use_cases.code_entry import Entry
from unora_identity.use_cases.member_events import emit_member_events


async def prove_holder(
    tx: Tx,
    resources: Resources,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    holder: Holder,
    entry: Entry,
    *,
    makes_account: StoredChallenge | None = None,
    second_factor: bool = False,
    reopens: bool = False,
) -> Judgement:
    """ID-13: whether the code and what came with it open a locked account. The consequences are stored: a wrong birth
    date is counted, or the account loses its number, and `makes_account` makes a new account of the number.
    """
    judged = judge(
        *(holder, entry.birth_date, entry.request_id, tx.now, resources.policy),
        second_factor=second_factor,
        reopens=reopens,
    )
    if judged.standing is Standing.WRONG:
        await holders.add_wrong(tx, locked.id, entry.request_id)
    elif judged.standing is Standing.MOVES:
        await hide(tx, resources, locked, headers, holder, makes_account)
    elif judged.by_birth_date and holder.wrong:
        await holders.delete_wrong_birth_dates(tx, locked.id)
    return judged


async def open_again(
    tx: Tx,
    resources: Resources,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    number: tuple[bytes, bytes] | None = None,
) -> list[MemberEvent]:
    """Opens a locked account that is closed or hidden, with its number or with another one, as its hash and sealed.
    Returns the events; the caller emits them.
    """
    await holders.reopen(tx, locked.id, *(number or (None, None)))
    await holders.delete_wrong_birth_dates(tx, locked.id)
    paused = locked.paused_at is not None
    events: list[MemberEvent] = [AccountReopened(**next(headers), paused=paused)]
    if number:
        events.append(PhoneChanged(**next(headers)))
    if not paused:
        events += await card_turned(tx, headers, locked.id, resources.policy, away=False)
    return events


async def hide(
    tx: Tx,
    resources: Resources,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    holder: Holder,
    makes_account: StoredChallenge | None = None,
) -> None:
    """Takes the number from a locked account. One that was closed is gone for others already: they are told nothing.
    `makes_account` is the challenge that makes a new account of the number, if no other form of it has one.
    """
    events = [] if holder.closed_at else await leave(tx, resources, locked, headers, AccountHidden)
    await holders.hide(tx, locked.id, tx.now + resources.policy.account_kept)
    await holders.delete_wrong_birth_dates(tx, locked.id)
    if makes_account and await accounts.find_owner(tx, makes_account.challenge.forms) is None:
        events = [_with_successor(event, makes_account.new_account.user_id) for event in events]
    await emit_member_events(tx, events)


async def free_number(tx: Tx, resources: Resources, phone_hashes: Sequence[bytes]) -> None:
    """ID-09: takes a number from closed accounts whose thirty days are over and whose erasure has not begun yet, so
    that it can be used for a new account.
    """
    unused_before = resources.machine_now() - resources.policy.unused_after
    for locked in await accounts.lock_over(tx, phone_hashes):
        holder = await holders.get(tx, locked.id, None, unused_before)
        await hide(tx, resources, locked, event_headers(locked, tx.now), holder)


def _with_successor(event: MemberEvent, successor: UUID) -> MemberEvent:
    return replace(event, new_user_id=successor) if isinstance(event, AccountHidden) else event
