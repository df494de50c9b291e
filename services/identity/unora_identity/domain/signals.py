"""ID-05, ID-06: signals of trust, and how a check of a Gov ID comes out. Nothing here knows what a document says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy

STREAK: Final = "streak"
"""The booster that a completed streak is."""


class OAuthAlreadyLinked(DomainError):
    """The account of the provider is another member's, or the member has linked another one of this provider."""

    reason = "OAUTH_ALREADY_LINKED"


class GovIdVerified(DomainError):
    """It is verified; there is nothing more to check."""

    reason = "GOV_ID_VERIFIED"


class CheckNotFound(DomainError):
    """No check bears this reference."""

    code = "NOT_FOUND"
    reason = "CHECK_NOT_FOUND"


class TooManyChecks(DomainError):
    """Each check costs money; there is a number of them a day."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_CHECKS"


class SignalType(StrEnum):
    """What kind of signal it is."""

    OAUTH = "oauth"
    GOV_ID = "gov_id"
    BOOSTER = "booster"


class Outcome(StrEnum):
    """How a signal came out."""

    PENDING = "pending"
    VERIFIED = "verified"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal as it is kept, without the provider's token."""

    id: UUID
    type: SignalType
    provider: str
    outcome: Outcome
    created_at: datetime
    decided_at: datetime | None


def after_result(before: Outcome, result: Outcome, newest: bool) -> Outcome:
    """What a member's Gov ID is after a result, in whatever order results come: one that verifies is for good, one that
    refuses counts only of the newest check.
    """
    if Outcome.VERIFIED in (before, result):
        return Outcome.VERIFIED
    return result if newest else before


def check_limit(started: Sequence[datetime], now: datetime, policy: Policy) -> None:
    """Refuses one more check; `started` are the times of all the member's checks."""
    lately = sorted(at for at in started if at > now - policy.gov_id_window)
    if len(lately) >= policy.gov_id_checks:
        retry_at = lately[-policy.gov_id_checks] + policy.gov_id_window
        raise TooManyChecks(retry_at=retry_at.isoformat())
