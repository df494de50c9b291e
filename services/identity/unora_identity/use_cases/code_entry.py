"""ID-02: a code that came back. What the right one does is up to the caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import DomainError
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.code_budgets import TooManyTries
from unora_identity.domain.phone_codes import ChallengeClosed, StoredChallenge, Verdict, read_code, try_code
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.resources import Resources
from unora_identity.store import challenges, wrong_codes
from unora_identity.use_cases.code_budgets import count_wrong_codes

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A code as it was typed, with what came beside it."""

    request_id: UUID
    challenge_id: UUID
    code: str = field(repr=False)
    device_id: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    totp_code: str = field(default="", repr=False)


async def enter_code(
    runtime: Runtime[IdentityConfig, Resources],
    alarm: CodeAlarm,
    entry: Entry,
    device: bytes | None,
    right: Callable[[Tx, StoredChallenge], Awaitable[T | DomainError]],
    repeated: Callable[[Tx, StoredChallenge], Awaitable[T]],
) -> T:
    """Judges a code in one transaction; `device` is the digest of the one that sends it.

    `right` gets the challenge as it is to be saved, and saves it if the code is used up. What it returns as a refusal
    is raised after the commit: then it may have counted something, and the code can be used again. `repeated` answers
    the call that has used the code already.
    """
    resources, policy = runtime.resources, runtime.resources.policy
    code_hash = resources.hasher.code(entry.challenge_id, read_code(entry.code, policy))
    async with runtime.database.transaction() as tx:
        stored = await challenges.lock(tx, entry.challenge_id)
        if stored is None or stored.changes_user_id is not None:
            raise ChallengeClosed
        guesser, wrong_before = await count_wrong_codes(tx, stored.challenge, device, policy)
        tried = try_code(stored.challenge, code_hash, entry.request_id, tx.now, policy, wrong_before=wrong_before)
        refusal = tried.refusal
        if tried.verdict is Verdict.ACCEPTED:
            done = await right(tx, replace(stored, challenge=tried.challenge))
            if not isinstance(done, DomainError):
                return done
            refusal = done
        if tried.verdict is Verdict.REPEATED:
            return await repeated(tx, stored)
        if tried.verdict is Verdict.WRONG:
            await challenges.count_try(tx, tried.challenge)
            await wrong_codes.add(tx, tried.challenge, guesser)
    assert refusal is not None
    if isinstance(refusal, TooManyTries):
        alarm.refused(refusal.budget)
    raise refusal
