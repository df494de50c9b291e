"""PR-05: hobbies, the first thing others see of a member."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from unora_common.errors import InvalidArgument

from unora_identity.domain.policy import Policy
from unora_identity.domain.text import tidy


class HobbyUnknown(InvalidArgument):
    """Not one of hobby_options."""

    reason = "HOBBY_UNKNOWN"

    def __init__(self) -> None:
        super().__init__({"hobbies.hobby_option_id": "is not one of the options"})


class HobbyTwice(InvalidArgument):
    """The same hobby more than once."""

    reason = "HOBBY_TWICE"

    def __init__(self) -> None:
        super().__init__({"hobbies.hobby_option_id": "stands more than once"})


class TooManyHobbies(InvalidArgument):
    """More than fit on a card."""

    reason = "TOO_MANY_HOBBIES"

    def __init__(self, most: int) -> None:
        super().__init__({"hobbies": f"are more than {most}"}, most=most)


@dataclass(frozen=True, slots=True)
class Hobby:
    """An option of hobby_options (by its stable key) and what the member says about it."""

    option: str
    micro_description: str


def choose(chosen: Sequence[Hobby], options: Collection[str], policy: Policy) -> tuple[Hobby, ...]:
    """The whole new list, tidied, in the member's order. Fewer than two is no error here: see onboarding.stay_ready."""
    if len(chosen) > policy.hobbies_most:
        raise TooManyHobbies(policy.hobbies_most)
    if len({hobby.option for hobby in chosen}) < len(chosen):
        raise HobbyTwice
    if any(hobby.option not in options for hobby in chosen):
        raise HobbyUnknown
    return tuple(
        replace(
            hobby,
            micro_description=tidy("hobbies.micro_description", hobby.micro_description, policy.micro_description),
        )
        for hobby in chosen
    )
