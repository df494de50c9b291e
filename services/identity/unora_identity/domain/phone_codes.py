"""ID-02: the code sent to a phone. Asking and answering are one flow for new and old members alike.

Times are UTC and come from the rule clock. A refused try is a result and not an exception: the counted try has to be
saved although the call fails. Codes are only ever seen here as keyed hashes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from hmac import compare_digest
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy


class TooManyCodes(DomainError):
    """ID-02: this phone has had its codes for now. The same answer whether or not it has an account."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_CODES"

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(retry_at=retry_at.isoformat())


class CodeWrong(DomainError):
    """Not the code that was sent; the try is counted."""

    reason = "CODE_WRONG"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=tries_left)


class ChallengeClosed(DomainError):
    """Too old, tried too often, used already, or never sent: one answer, since the remedy is one: another code."""

    reason = "CHALLENGE_CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One code sent to one phone. `used_by` is the request id of the call that used it."""

    id: UUID
    phone_hash: bytes
    code_hash: bytes
    issued_at: datetime
    expires_at: datetime
    wrong_tries: int = 0
    used_at: datetime | None = None
    used_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A code that was issued to a phone, and whether it is noted that it was sent."""

    id: UUID
    request_id: UUID
    issued_at: datetime
    expires_at: datetime
    sent_at: datetime | None

    def out(self, now: datetime, policy: Policy) -> bool:
        """Whether it was sent or is being sent. What is not noted as sent in twice the time of sending never will be:
        only a process that dies leaves such a code, no client can. It neither counts nor keeps a repeat from sending.
        """
        return self.sent_at is not None or now < self.issued_at + 2 * policy.code_sending


class Verdict(Enum):
    """What a try is worth."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """The very call that used the code, sent again because its answer was lost: the same session, fresh tokens."""
    WRONG = "wrong"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a try: the challenge to save, and the refusal to give once it is saved."""

    challenge: Challenge
    verdict: Verdict
    refusal: DomainError | None = None


def issue(
    *,
    challenge_id: UUID,
    phone_hash: bytes,
    code_hash: bytes,
    earlier: Iterable[Issued],
    now: datetime,
    policy: Policy,
) -> Challenge:
    """A new challenge, or TooManyCodes. `earlier`: the codes of this phone (old ones do no harm).

    The window slides: it is full until the fifth latest code leaves it. A refused request does not extend it.
    """
    since = now - policy.codes_window
    recent = sorted(code.issued_at for code in earlier if code.issued_at > since and code.out(now, policy))
    if len(recent) >= policy.codes_per_window:
        raise TooManyCodes(recent[-policy.codes_per_window] + policy.codes_window)
    return Challenge(
        id=challenge_id, phone_hash=phone_hash, code_hash=code_hash, issued_at=now, expires_at=now + policy.code_life
    )


def attempt(challenge: Challenge, code_hash: bytes, request_id: UUID, now: datetime, policy: Policy) -> Attempt:
    """Judge one try. At expires_at the code is dead; after the last wrong try the right one is too late."""
    if now >= challenge.expires_at or challenge.wrong_tries >= policy.code_tries:
        return Attempt(challenge, Verdict.CLOSED, ChallengeClosed())
    if challenge.used_at is not None and challenge.used_by != request_id:
        return Attempt(challenge, Verdict.CLOSED, ChallengeClosed())
    if not compare_digest(challenge.code_hash, code_hash):
        tried = replace(challenge, wrong_tries=challenge.wrong_tries + 1)
        return Attempt(tried, Verdict.WRONG, CodeWrong(policy.code_tries - tried.wrong_tries))
    if challenge.used_at is not None:
        return Attempt(challenge, Verdict.REPEATED)
    return Attempt(replace(challenge, used_at=now, used_by=request_id), Verdict.ACCEPTED)
