"""ID-13: a number may have another owner by now, so the code to it does not always open the account that it has.

Times are UTC. Whether an account is in use goes by the machine's clock, as its sessions do; all else by the rule clock.
A wrong birth date is a result and not an exception: the counted try must be saved although the call fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy


class BirthDateNeeded(DomainError):
    """ID-13: the code is right, and the account's birth date is needed besides. The code can be used again."""

    reason = "BIRTH_DATE_NEEDED"
    sentence = "Tell us your date of birth, so that we know it is you."


class BirthDateWrong(DomainError):
    """ID-13: it is not the account's birth date. The try is counted over all codes and devices; after the last one the
    number moves to a new account.
    """

    reason = "BIRTH_DATE_WRONG"
    sentence = "This is not the date of birth of this account."

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=tries_left)


class ReopeningNeeded(DomainError):
    """ID-09: the account of the number is closed. Until `reopen_until` (UTC) ReopenAccount opens it again."""

    reason = "ACCOUNT_CLOSED"
    sentence = "This account is closed. You can reopen it."

    def __init__(self, reopen_until: datetime) -> None:
        super().__init__(reopen_until=reopen_until.isoformat())


class AccountNotClosed(DomainError):
    """ID-09: the number has no closed account that can be opened again. The member signs in by VerifyPhone."""

    reason = "ACCOUNT_NOT_CLOSED"
    sentence = "There is no closed account to reopen."


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongBirthDate:
    """A call that gave a wrong birth date."""

    request_id: UUID
    tried_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What decides whether the code to an account's number opens the account."""

    device_known: bool
    in_use: bool
    """Whether a session was refreshed within 45 days."""
    date_of_birth: date | None
    wrong: Sequence[WrongBirthDate]
    closed_at: datetime | None
    erase_after: datetime | None
    """When a closed account can no longer be opened."""
    has_second_factor: bool = False
    """ID-15: whether it is an admin's, who can prove it by the second factor."""


class Standing(Enum):
    """What the right code does."""

    PROVEN = "proven"
    """It opens the account, or opens it again if it is closed."""
    REFUSED = "refused"
    """It opens nothing without the birth date."""
    WRONG = "wrong"
    """The birth date is wrong; the try must be saved."""
    MOVES = "moves"
    """The account loses the number."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the right code does, and the refusal to raise once that is saved."""

    standing: Standing
    refusal: DomainError | None = None
    by_birth_date: bool = False
    """Whether the right birth date proved it, so that wrong ones no longer count."""


def judge(
    holder: Holder,
    given: date | None,
    request_id: UUID,
    now: datetime,
    policy: Policy,
    *,
    second_factor: bool = False,
    reopens: bool = False,
) -> Judgement:
    """ID-13: whether the right code is enough, with the birth date that was given. `second_factor`: the right one came
    too, which proves as much (ID-15). `reopens`: the call opens a closed account, and makes no new one (ID-09).

    A call that was answered by BIRTH_DATE_WRONG gets the same answer again, whatever date its repeat carries.
    """
    if holder.erase_after is not None and now >= holder.erase_after:
        return Judgement(Standing.MOVES)
    if holder.device_known or second_factor or (holder.in_use and holder.closed_at is None):
        return Judgement(Standing.PROVEN)
    if holder.date_of_birth is None:
        # The number gives way to a new account, which this call does not make; so an admin keeps it, who can still come
        # with the second factor. The answer is that of a number without an account.
        if reopens and holder.has_second_factor:
            return Judgement(Standing.REFUSED, AccountNotClosed())
        return Judgement(Standing.MOVES)
    if given is None:
        return Judgement(Standing.REFUSED, BirthDateNeeded())
    counted = [each for each in holder.wrong if each.tried_at > now - policy.birth_dates_window]
    if any(each.request_id == request_id for each in counted):
        return Judgement(Standing.REFUSED, BirthDateWrong(max(policy.birth_date_tries - len(counted), 0)))
    if given == holder.date_of_birth:
        return Judgement(Standing.PROVEN, by_birth_date=True)
    left = policy.birth_date_tries - len(counted) - 1
    return Judgement(Standing.MOVES) if left <= 0 else Judgement(Standing.WRONG, BirthDateWrong(left))
