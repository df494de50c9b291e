"""PR-05: hobbies, the first thing that other members see of a member."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from unora_common.errors import InvalidArgument

from unora_identity.domain.policy import Policy
from unora_identity.domain.text import clean_text


class HobbyUnknown(InvalidArgument):
    """The hobby is not one of hobby_options."""

    reason = "HOBBY_UNKNOWN"
    sentence = "This hobby is not in the list."

    def __init__(self, at: int | None = None) -> None:
        field = "hobbies" if at is None else option_of(at)
        super().__init__({field: "is not one of the options"})


class HobbyTwice(InvalidArgument):
    """The same hobby is listed more than once."""

    reason = "HOBBY_TWICE"
    sentence = "You chose the same hobby twice."

    def __init__(self, at: int) -> None:
        super().__init__({option_of(at): "is listed more than once"})


class TooManyHobbies(InvalidArgument):
    """There are more hobbies than a member may have."""

    reason = "TOO_MANY_HOBBIES"
    sentence = "You chose too many hobbies."

    def __init__(self, most: int) -> None:
        super().__init__({"hobbies": f"are more than {most}"}, most=most)


@dataclass(frozen=True, slots=True)
class HobbyOption:
    """One of the hobbies that members choose from."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Hobby:
    """A chosen option (by its stable id), with the member's own words about it."""

    option: str
    micro_description: str
    hidden: bool = False
    """PR-10: whether the words are shown to nobody but the member."""


def option_of(at: int) -> str:
    """The name of the field in a request, for a refusal. Lists count from 0."""
    return f"hobbies[{at}].hobby_option_id"


def micro_description_of(at: int) -> str:
    """The name of the field in a request, for a refusal."""
    return f"hobbies[{at}].micro_description"


def as_shown(hobby: Hobby) -> Hobby:
    """DI-08, PR-10: the hobby as anybody but its member may see it."""
    return replace(hobby, micro_description="", hidden=False) if hobby.hidden else hobby


def clean_hobbies(chosen: Sequence[Hobby], options: Collection[str], policy: Policy) -> tuple[Hobby, ...]:
    """The whole new list with cleaned texts, in the member's order. Refuses too many, repeated or unknown hobbies.

    Fewer than two are no error here: see `onboarding.require_still_ready`.
    """
    if len(chosen) > policy.hobbies_most:
        raise TooManyHobbies(policy.hobbies_most)
    seen = set[str]()
    for at, hobby in enumerate(chosen):
        if hobby.option in seen:
            raise HobbyTwice(at)
        if hobby.option not in options:
            raise HobbyUnknown(at)
        seen.add(hobby.option)
    return tuple(
        replace(
            hobby,
            micro_description=clean_text(micro_description_of(at), hobby.micro_description, policy.micro_description),
        )
        for at, hobby in enumerate(chosen)
    )
