"""ID-02, ID-11: how many codes are sent, and how many wrong ones are taken.

A device that the account knows has budgets of its own, and spends no other: what strangers use up never bars it. The
refusals say the same, whichever budget was spent.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy


class Budget(StrEnum):
    """What may be spent; for metrics and logs, never for an answer."""

    NUMBER = "number"
    KNOWN_DEVICE = "known_device"
    DEVICE = "device"
    ADDRESS = "address"
    COUNTRY = "country"
    ALL = "all"
    WRONG_CODES = "wrong_codes"


class TooManyCodes(DomainError):
    """ID-02, ID-11: no more codes for now. The hint `retry_after`, in seconds, is the whole window: neither it nor the
    answer tells which budget was spent, by whom or when, or whether there is an account.
    """

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_CODES"
    sentence = "Too many codes were asked for. Try again later."

    def __init__(self, budget: Budget, policy: Policy) -> None:
        self.budget = budget
        super().__init__(retry_after=int(policy.codes_window.total_seconds()))


class TooManyTries(DomainError):
    """ID-02: too many wrong codes came for the number in a day; no code is judged for now, the right one neither. The
    hint `retry_after`, in seconds, is always the same.
    """

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_TRIES"
    sentence = "There were too many wrong codes. Try again later."

    def __init__(self, policy: Policy) -> None:
        self.budget = Budget.WRONG_CODES
        super().__init__(retry_after=int(policy.wrong_codes_window.total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks for a code, as keyed digests; None for what is not known of them."""

    device: bytes | None
    address: bytes | None
    calling_code: int
    """Of the number that the code is for."""
    changes_user_id: UUID | None = None
    """ID-14: the signed-in member whose number the code changes. Then `device` stands for the member, who has a
    budget as a device has one.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Numbers of codes in one `codes_window`: those that were sent, or the most that may be."""

    of_device: int
    of_address: int
    of_country: int
    in_all: int


def allowed_codes(calling_code: int, policy: Policy) -> Codes:
    """ID-11: the budgets that a code to a country spends."""
    return Codes(
        of_device=policy.codes_per_device,
        of_address=policy.codes_per_address,
        of_country=policy.codes_per_country_of.get(calling_code, policy.codes_per_country),
        in_all=policy.codes_in_all,
    )


def require_codes_left(asker: Asker, spent: Codes, allowed: Codes, policy: Policy) -> None:
    """ID-11: raises TooManyCodes if one of the budgets is spent. Those of a country and of all bar only devices that no
    account knows, and so no member who has signed in.
    """
    signed_in = asker.changes_user_id is not None
    for budget, has, may in (
        (Budget.DEVICE, spent.of_device, allowed.of_device),
        (Budget.ADDRESS, spent.of_address, allowed.of_address),
        (Budget.COUNTRY, spent.of_country, allowed.of_country),
        (Budget.ALL, spent.in_all, allowed.in_all),
    ):
        if has >= may and not (signed_in and budget in (Budget.COUNTRY, Budget.ALL)):
            raise TooManyCodes(budget, policy)
