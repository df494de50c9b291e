"""ID-05, ID-06: signals of trust, and the outcome of a Gov ID check. Nothing here knows the content of a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy

STREAK_BOOSTER: Final = "streak"
"""The provider of the booster that a completed streak gives (ID-04)."""


class OAuthAlreadyLinked(DomainError):
    """The provider's account is linked to another member, or the member has linked another account of this provider."""

    reason = "OAUTH_ALREADY_LINKED"
    sentence = "This account cannot be linked: it is linked elsewhere, or you have linked another one."


class GovIdVerified(DomainError):
    """The member's Gov ID is verified already; another check is not needed."""

    reason = "GOV_ID_VERIFIED"
    sentence = "Your ID is verified already."


class CheckNotFound(DomainError):
    """No check has this reference."""

    code = "NOT_FOUND"
    reason = "CHECK_NOT_FOUND"
    sentence = "This ID check does not exist."


class TooManyChecks(DomainError):
    """The member has begun as many checks as allowed in a day: each check costs money."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_CHECKS"
    sentence = "You began too many ID checks today. Try again tomorrow."


class SignalType(StrEnum):
    """The kind of a signal."""

    OAUTH = "oauth"
    GOV_ID = "gov_id"
    BOOSTER = "booster"


class Outcome(StrEnum):
    """The state of a signal, and the result of a check."""

    PENDING = "pending"
    VERIFIED = "verified"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal of trust, without the provider's token."""

    id: UUID
    signal_type: SignalType
    provider: str
    outcome: Outcome
    created_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GovIdCheck:
    """A check of a Gov ID. Its id is the reference by which the provider knows it."""

    id: UUID
    request_id: UUID
    profile_digest: bytes
    started_at: datetime
    outcome: Outcome | None


def after_result(before: Outcome, result: Outcome, newest: bool) -> Outcome:
    """The state of a member's Gov ID after a result, in whatever order results arrive: a verification is final, and a
    refusal counts only for the newest check.
    """
    if Outcome.VERIFIED in (before, result):
        return Outcome.VERIFIED
    return result if newest else before


def require_few_checks(started: Sequence[datetime], now: datetime, policy: Policy) -> None:
    """ID-06: refuses one more check. `started` are the start times of all the member's checks."""
    recent = sorted(at for at in started if at > now - policy.gov_id_window)
    if len(recent) >= policy.gov_id_checks:
        retry_at = recent[-policy.gov_id_checks] + policy.gov_id_window
        raise TooManyChecks(retry_at=retry_at.isoformat())
