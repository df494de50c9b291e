"""ID-13: a hidden account comes back by an account of an OpenID provider that is linked to it, or by its Gov ID."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy
from unora_identity.domain.signals import Outcome


class NothingToRecover(DomainError):
    """The proof belongs to no account that was hidden when its number moved, or its 30 days are over."""

    reason = "NOTHING_TO_RECOVER"
    sentence = "We found no account that you can get back in this way."


class GovIdPending(DomainError):
    """The provider has not told the result of the check of the Gov ID yet."""

    reason = "GOV_ID_PENDING"
    sentence = "The check of your ID is not finished yet. Try again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCheck:
    """A check of a Gov ID for the owner of a number. Its id is the reference by which the provider knows it."""

    id: UUID
    request_id: UUID
    started_at: datetime
    outcome: Outcome | None = None
    opaque_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopening:
    """An account that may be opened again."""

    hidden: bool
    erase_after: datetime | None


def proven_token(checks: Sequence[RecoveryCheck], reference: UUID, now: datetime, policy: Policy) -> str:
    """The provider's token of the person whose Gov ID was verified by this one of a number's checks. It counts for a
    day. Raises NothingToRecover and GovIdPending.
    """
    check = next((each for each in checks if each.id == reference), None)
    if check is None or check.outcome is Outcome.REFUSED or now >= check.started_at + policy.recovery_check_life:
        raise NothingToRecover
    if check.outcome is None:
        raise GovIdPending
    return check.opaque_token


def require_recoverable(account: Reopening, now: datetime) -> None:
    """Raises NothingToRecover for an account that is not hidden, or whose 30 days are over."""
    if not account.hidden or account.erase_after is None or now >= account.erase_after:
        raise NothingToRecover
