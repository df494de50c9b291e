"""ID-02: the code that is sent to a phone. New and existing members use the same flow.

Times are UTC and come from the rule clock. A refused try is a result and not an exception: the counted try must be
saved although the call fails. Codes appear here only as keyed hashes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from hmac import compare_digest
from uuid import UUID

from unora_common.errors import DomainError, InvalidArgument

from unora_identity.domain.accounts import NewAccount
from unora_identity.domain.code_budgets import Budget, TooManyCodes, TooManyTries
from unora_identity.domain.policy import Policy
from unora_identity.domain.typed_codes import typed_digits


class CodeWrong(DomainError):
    """The code is not the one that was sent. The try is counted."""

    reason = "CODE_WRONG"
    sentence = "This code is not right."

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=tries_left)


class ChallengeClosed(DomainError):
    """The challenge is too old, was tried too often, was used already, or never existed. All cases get this answer,
    since the member does the same in each: ask for another code.
    """

    reason = "CHALLENGE_CLOSED"
    sentence = "This code can no longer be used. Ask for a new one."


class PhoneTaken(DomainError):
    """ID-13, ID-14: the new number belongs to another account. Only who was sent its code gets this answer."""

    reason = "PHONE_TAKEN"
    sentence = "This number belongs to another account."


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One code for one phone. `used_by` is the request id of the call that used it."""

    id: UUID
    phone_hash: bytes
    """Of the subscriber: what one number may use up is counted by it."""
    phone_hashes: tuple[bytes, ...]
    """Of all forms of the number: the account is looked for by them, in this order (ID-01)."""
    known_device: bytes | None
    """The digest of the device that asked for the code, if the account knows it (ID-02)."""
    account_only: bool
    """Whether the code opens only an account that is there already (ID-11)."""
    code_hash: bytes
    issued_at: datetime
    expires_at: datetime
    wrong_tries: int = 0
    used_at: datetime | None = None
    used_by: UUID | None = None

    @property
    def forms(self) -> tuple[bytes, ...]:
        """All forms of the number, also of a challenge that the version before stored with one form only."""
        return self.phone_hashes or (self.phone_hash,)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChallenge:
    """A challenge, with the account that it may create and the session that it has opened."""

    challenge: Challenge
    new_account: NewAccount
    session_id: UUID | None
    created_account: bool
    changes_user_id: UUID | None = None
    """ID-14: the member whose number the code changes. Such a code opens no session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A code that was issued to a phone, and when it was recorded as sent."""

    id: UUID
    request_id: UUID
    known_device: bytes | None
    account_only: bool
    issued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    undelivered: bool = False
    """Whether the carrier told that the phone did not get it."""

    def counts_as_sent(self, now: datetime, policy: Policy) -> bool:
        """Whether the code was sent or is being sent. If it is not recorded as sent after twice the sending time, it
        never will be: only a process that died leaves such a code, a client cannot. Such a code does not count, and a
        repeat of its call sends another.
        """
        return self.sent_at is not None or now < self.issued_at + 2 * policy.code_sending


class Verdict(Enum):
    """The result of one try."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """The call that used the code was sent again because its answer was lost: same session, fresh tokens."""
    WRONG = "wrong"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The challenge to save after a try, and the refusal to raise once it is saved."""

    challenge: Challenge
    verdict: Verdict
    refusal: DomainError | None = None


def read_code(raw: str, policy: Policy) -> str:
    """ID-02: the digits of a code as it was typed: in any script, with spaces or dashes. Raises InvalidArgument."""
    digits = typed_digits(raw)
    if len(digits) != policy.code_digits or not digits.isdecimal():
        raise InvalidArgument({"code": f"must have {policy.code_digits} digits"})
    return digits


def issue_challenge(
    *,
    challenge_id: UUID,
    phone_hashes: tuple[bytes, ...],
    phone_hash: bytes,
    code_hash: bytes,
    earlier: Iterable[IssuedCode],
    known_device: bytes | None,
    account_only: bool,
    now: datetime,
    policy: Policy,
) -> Challenge:
    """A new challenge, or TooManyCodes. `earlier` are the codes of this phone; old ones have no effect. A device that
    the account knows and all other devices do not use up each other's codes.

    The window slides: it is full until the fifth latest code leaves it. A refused request does not extend it.
    A code that was not delivered makes room for another one. Such codes cost money too: no more of them make room than
    codes are allowed.
    """
    since = now - policy.codes_window
    recent = [code for code in earlier if code.issued_at > since and code.counts_as_sent(now, policy)]
    if _spent([code for code in recent if code.known_device == known_device], policy.codes_per_window):
        raise TooManyCodes(Budget.NUMBER if known_device is None else Budget.KNOWN_DEVICE, policy)
    # Each new device that signs in becomes a known one, and would bring a budget with it.
    known = [code for code in recent if code.known_device is not None]
    if known_device is not None and _spent(known, policy.codes_for_known_devices):
        raise TooManyCodes(Budget.KNOWN_DEVICE, policy)
    return Challenge(
        id=challenge_id,
        phone_hash=phone_hash,
        phone_hashes=phone_hashes,
        known_device=known_device,
        account_only=account_only,
        code_hash=code_hash,
        issued_at=now,
        expires_at=now + policy.code_life,
    )


def _spent(codes: Sequence[IssuedCode], allowed: int) -> bool:
    undelivered = sum(code.undelivered for code in codes)
    return len(codes) - min(undelivered, allowed) >= allowed


def try_code(
    challenge: Challenge, code_hash: bytes, request_id: UUID, now: datetime, policy: Policy, *, wrong_before: int
) -> Attempt:
    """Judges one try. From `expires_at` on, and after the last wrong try, the right code is refused too, and so it is
    when too many wrong codes came for the number: `wrong_before` in the last day, over all its codes (ID-02).
    """
    if now >= challenge.expires_at or challenge.wrong_tries >= policy.code_tries:
        return Attempt(challenge, Verdict.CLOSED, ChallengeClosed())
    if challenge.used_at is not None and challenge.used_by != request_id:
        return Attempt(challenge, Verdict.CLOSED, ChallengeClosed())
    if challenge.used_at is None and wrong_before >= policy.wrong_codes:
        return Attempt(challenge, Verdict.CLOSED, TooManyTries(policy))
    if not compare_digest(challenge.code_hash, code_hash):
        tried = replace(challenge, wrong_tries=challenge.wrong_tries + 1)
        return Attempt(tried, Verdict.WRONG, CodeWrong(policy.code_tries - tried.wrong_tries))
    if challenge.used_at is not None:
        return Attempt(challenge, Verdict.REPEATED)
    return Attempt(replace(challenge, used_at=now, used_by=request_id), Verdict.ACCEPTED)
