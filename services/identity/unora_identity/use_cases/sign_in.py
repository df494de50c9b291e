"""ID-02, ID-09, ID-13: the right code opens a session, once it is clear that the account is that of who sends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unora_common.database import Tx
from unora_common.errors import DomainError
from unora_common.ids import uuid7
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.events import (
    AccountCreated,
    AdminSignedIn,
    EventHeader,
    MemberEvent,
    NewDeviceSignedIn,
    SessionOpened,
    event_headers,
)
from unora_identity.domain.number_proof import AccountNotClosed, ReopeningNeeded, Standing
from unora_identity.domain.phone_codes import ChallengeClosed, StoredChallenge
from unora_identity.domain.sessions import Refused, open_session, reissue
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.random_secrets import NewRefreshToken
from unora_identity.resources import Resources
from unora_identity.store import accounts, challenges, holders, members, sessions
from unora_identity.use_cases.code_entry import Entry, enter_code
from unora_identity.use_cases.member_events import emit_member_events
from unora_identity.use_cases.number_moves import open_again, prove_holder
from unora_identity.use_cases.second_factors import try_factor
from unora_identity.use_cases.sessions import SignedIn, signed_in


async def verify_phone(
    runtime: Runtime[IdentityConfig, Resources], alarm: CodeAlarm, entry: Entry, fresh: NewRefreshToken
) -> SignedIn:
    """ID-02: opens a session, and creates the account if the number has none, or the one that it had gives way (ID-13).
    A repeat gets its session again. With an admin's second factor the session carries the role (ID-15).
    """
    resources = runtime.resources
    device = device_digest(resources, entry)
    return await enter_code(
        runtime,
        alarm,
        entry,
        device,
        lambda tx, stored: _sign_in(tx, resources, stored, entry, device, fresh),
        lambda tx, stored: sign_in_again(tx, resources, stored, fresh),
    )


async def reopen_account(
    runtime: Runtime[IdentityConfig, Resources], alarm: CodeAlarm, entry: Entry, fresh: NewRefreshToken
) -> SignedIn:
    """ID-09: opens a closed account again, and a session with it. A repeat gets its session again. With an admin's
    second factor the session carries the role (ID-15).
    """
    resources = runtime.resources
    device = device_digest(resources, entry)
    return await enter_code(
        runtime,
        alarm,
        entry,
        device,
        lambda tx, stored: _reopen(tx, resources, stored, entry, device, fresh),
        lambda tx, stored: sign_in_again(tx, resources, stored, fresh),
    )


def device_digest(resources: Resources, entry: Entry) -> bytes | None:
    """The digest of the device that sends a code, if the app named one."""
    return resources.hasher.device(entry.device_id) if entry.device_id else None


async def _sign_in(
    tx: Tx,
    resources: Resources,
    stored: StoredChallenge,
    entry: Entry,
    device: bytes | None,
    fresh: NewRefreshToken,
) -> SignedIn | DomainError:
    # Forms of one number may have several accounts, from before they were one number: each may have to give way.
    while True:
        locked, created = await _lock_account(tx, stored)
        if locked is None:
            return ChallengeClosed()
        headers = event_headers(locked, tx.now)
        if created:
            trace = resources.hasher.trace(stored.challenge.phone_hash)
            events = [AccountCreated(**next(headers), phone_digest=trace, device_digest=device)]
            return await open_for(tx, resources, stored, locked, headers, device, fresh, events, created=True)
        as_admin = await try_factor(tx, resources, locked, headers, entry.totp_code) if entry.totp_code else False
        if isinstance(as_admin, DomainError):
            return as_admin
        holder = await holders.get(tx, locked.id, device, resources.machine_now() - resources.policy.unused_after)
        new = None if stored.challenge.account_only else stored
        judged = await prove_holder(
            tx, resources, locked, headers, holder, entry, makes_account=new, second_factor=as_admin
        )
        if judged.standing is Standing.MOVES:
            continue
        if judged.refusal:
            return judged.refusal
        if holder.closed_at is not None:
            assert holder.erase_after is not None
            return ReopeningNeeded(holder.erase_after)
        known = holder.device_known
        return await open_for(tx, resources, stored, locked, headers, device, fresh, [], known=known, as_admin=as_admin)


async def _reopen(
    tx: Tx,
    resources: Resources,
    stored: StoredChallenge,
    entry: Entry,
    device: bytes | None,
    fresh: NewRefreshToken,
) -> SignedIn | DomainError:
    locked = await accounts.lock_by_phone(tx, stored.challenge.forms)
    if locked is None:
        return AccountNotClosed()
    headers = event_headers(locked, tx.now)
    as_admin = await try_factor(tx, resources, locked, headers, entry.totp_code) if entry.totp_code else False
    if isinstance(as_admin, DomainError):
        return as_admin
    holder = await holders.get(tx, locked.id, device, resources.machine_now() - resources.policy.unused_after)
    # The proof comes first here too: without it a caller could learn whether an account is closed or unused.
    judged = await prove_holder(tx, resources, locked, headers, holder, entry, second_factor=as_admin, reopens=True)
    if judged.refusal:
        return judged.refusal
    if judged.standing is Standing.MOVES or holder.closed_at is None:
        return AccountNotClosed()
    events = await open_again(tx, resources, locked, headers)
    known = holder.device_known
    return await open_for(tx, resources, stored, locked, headers, device, fresh, events, known=known, as_admin=as_admin)


async def open_for(
    tx: Tx,
    resources: Resources,
    stored: StoredChallenge,
    locked: LockedMember,
    headers: Iterator[EventHeader],
    device: bytes | None,
    fresh: NewRefreshToken,
    before: Sequence[MemberEvent],
    *,
    created: bool = False,
    known: bool = False,
    as_admin: bool = False,
) -> SignedIn:
    """Uses the code up for a session of a locked account. Emits the events `before` it, and those of the session."""
    session, token = open_session(
        session_id=uuid7(),
        user_id=locked.id,
        token_hash=fresh.hash,
        now=resources.machine_now(),
        policy=resources.policy,
        as_admin=as_admin,
    )
    await sessions.open_session(tx, session, token, device)
    await challenges.use(tx, stored.challenge, session.id, created)
    events = [*before, SessionOpened(**next(headers), session_id=session.id, device_digest=device)]
    if not (known or created):
        events.append(NewDeviceSignedIn(**next(headers), session_id=session.id))
    if as_admin:
        events.append(AdminSignedIn(**next(headers), session_id=session.id))
    await emit_member_events(tx, events)
    return await signed_in(tx, locked, session, token, created)


async def sign_in_again(tx: Tx, resources: Resources, stored: StoredChallenge, fresh: NewRefreshToken) -> SignedIn:
    """The session of a call that was sent again, with fresh tokens. Raises ChallengeClosed if it has ended, or the
    account has another number.
    """
    assert stored.session_id is not None
    owner = await sessions.get_owner(tx, stored.session_id)
    locked = await members.lock(tx, owner)
    if locked is None or not await accounts.has_phone(tx, owner, stored.challenge.forms):
        raise ChallengeClosed
    session, family = await sessions.get_with_family(tx, stored.session_id)
    reissued = reissue(session, family, fresh_hash=fresh.hash, now=resources.machine_now(), policy=resources.policy)
    if isinstance(reissued, Refused):
        raise ChallengeClosed
    await sessions.save_spent(tx, reissued.voided)
    await sessions.add_token(tx, reissued.fresh)
    return await signed_in(tx, locked, session, reissued.fresh, stored.created_account)


async def _lock_account(tx: Tx, stored: StoredChallenge) -> tuple[LockedMember | None, bool]:
    """The account that a code opens, and whether it was created. None if there is none, and the code may not create
    one (ID-11).
    """
    used = stored.challenge
    if not used.account_only:
        return await accounts.lock_or_create(tx, used.forms, used.phone_hash, stored.new_account)
    return await accounts.lock_by_phone(tx, used.forms), False
