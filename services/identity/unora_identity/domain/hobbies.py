"""PR-05: hobbies, the first thing others see of a member."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from unora_identity.domain.errors import IdentityError
from unora_identity.domain.policy import Policy
from unora_identity.domain.text import tidy


class HobbyUnknownError(IdentityError):
    """Not one of hobby_options."""

    code: ClassVar[str] = "INVALID_ARGUMENT"
    reason: ClassVar[str] = "HOBBY_UNKNOWN"


class HobbyTwiceError(IdentityError):
    """The same hobby more than once."""

    code: ClassVar[str] = "INVALID_ARGUMENT"
    reason: ClassVar[str] = "HOBBY_TWICE"


class TooManyHobbiesError(IdentityError):
    """More than fit on a card."""

    code: ClassVar[str] = "INVALID_ARGUMENT"
    reason: ClassVar[str] = "TOO_MANY_HOBBIES"


@dataclass(frozen=True, slots=True)
class Hobby:
    """An option of hobby_options (by its stable key) and what the member says about it."""

    option: str
    micro_description: str


def choose(chosen: Sequence[Hobby], options: Collection[str], policy: Policy) -> tuple[Hobby, ...]:
    """The whole new list, tidied, in the member's order. Fewer than two is no error here: see onboarding.stay_ready."""
    if len(chosen) > policy.hobbies_most:
        raise TooManyHobbiesError(most=policy.hobbies_most)
    if len({hobby.option for hobby in chosen}) < len(chosen):
        raise HobbyTwiceError
    if any(hobby.option not in options for hobby in chosen):
        raise HobbyUnknownError
    return tuple(
        replace(hobby, micro_description=tidy("micro_description", hobby.micro_description, policy.micro_description))
        for hobby in chosen
    )
