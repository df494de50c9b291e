"""ID-15: the second factor of admins: time-based one-time codes (TOTP, RFC 6238) of 6 digits and 30 seconds.

Times are UTC and the machine's: such codes are of real time, which the rule clock does not move. A refused try is a
result and not an exception: the counted try must be saved although the call fails.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from typing import Final
from uuid import UUID

import pyotp
from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy
from unora_identity.domain.typed_codes import typed_digits

ISSUER: Final = "Unora"
STEPS_OFF: Final = 1
"""How many steps the clock of the admin's device may be off, either way."""


class SecondFactorWrong(DomainError):
    """ID-15: the phone code is right, the second factor is not, or was used already. The phone code stays usable."""

    reason = "SECOND_FACTOR_WRONG"
    sentence = "The code of your authenticator app is not right."


class TooManySecondFactors(DomainError):
    """ID-15: too many wrong second factors in an hour; the right one is refused too. `retry_after` is in seconds, and
    always the whole hour.
    """

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_SECOND_FACTORS"
    sentence = "There were too many wrong codes of the authenticator app. Try again later."

    def __init__(self, policy: Policy) -> None:
        super().__init__(retry_after=round(policy.second_factor_window.total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """The secret of an admin, sealed with their key, and the latest tries."""

    user_id: UUID
    secret_sealed: bytes
    last_step: int | None = None
    """The step of the last code that was accepted: it and all before it are used up."""
    wrong_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class FactorTried:
    """The factor to save after a try, and the refusal to raise once it is saved. `counted`: the try was judged."""

    factor: SecondFactor
    counted: bool
    refusal: DomainError | None = None


def new_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, user: UUID) -> str:
    """The otpauth:// address that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=str(user), issuer_name=ISSUER)


def try_second_factor(factor: SecondFactor, secret: str, code: str, now: datetime, policy: Policy) -> FactorTried:
    """Judges one try. A code works once: the codes of its step and of those before it are refused afterwards.

    The window slides: wrong tries count for an hour. After the last one no code is judged, until the oldest leaves.
    """
    since = now - policy.second_factor_window
    recent = tuple(at for at in factor.wrong_at if at > since)
    if len(recent) >= policy.second_factor_tries:
        return FactorTried(factor, False, TooManySecondFactors(policy))
    step = _step_of(secret, typed_digits(code), now)
    if step is None or (factor.last_step is not None and step <= factor.last_step):
        return FactorTried(replace(factor, wrong_at=(*recent, now)), True, SecondFactorWrong())
    return FactorTried(replace(factor, last_step=step, wrong_at=recent), True)


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The latest step near to `now` whose code it is; all are compared, whatever matches."""
    totp = pyotp.TOTP(secret)
    current = totp.timecode(now)
    steps = range(current - STEPS_OFF, current + STEPS_OFF + 1)
    matching = [step for step in steps if compare_digest(totp.generate_otp(step), code)]
    return max(matching, default=None)
