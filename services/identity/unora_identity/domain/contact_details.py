"""PR-10: the words of hobbies, which strangers see, tell nobody how to reach or name their author."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from unora_common.errors import InvalidArgument
from unora_text.contact import Author, Finding, find_contact, tells_number

from unora_identity.domain.hobbies import Hobby, micro_description_of
from unora_identity.domain.profiles import Profile


class ContactDetails(InvalidArgument):
    """PR-10: a text that strangers would see tells how to reach or name its author. `found` says what all of them tell,
    such as `name,phone`; never the texts.
    """

    reason = "CONTACT_DETAILS"
    sentence = "Your text tells how to reach you or who you are. Remove names, numbers, handles and links."

    def __init__(self, found: Mapping[int, frozenset[Finding]]) -> None:
        why = {micro_description_of(at): f"tells: {', '.join(sorted(kinds))}" for at, kinds in found.items()}
        super().__init__(why, found=",".join(sorted(frozenset[Finding]().union(*found.values()))))


def require_no_contact(hobbies: Sequence[Hobby], profile: Profile) -> None:
    """PR-10: refuses new words that tell how to reach or name the member; all of them in one refusal."""
    found = find_in_hobbies([hobby.micro_description for hobby in hobbies], profile)
    if found:
        raise ContactDetails(found)


def reviewed(hobbies: Sequence[Hobby], profile: Profile) -> tuple[Hobby, ...]:
    """PR-10: hobbies that are there already, each with whether its words are hidden."""
    found = find_in_hobbies([hobby.micro_description for hobby in hobbies], profile)
    return tuple(replace(hobby, hidden=at in found) for at, hobby in enumerate(hobbies))


def find_in_hobbies(texts: Sequence[str], profile: Profile) -> dict[int, frozenset[Finding]]:
    """What each text, by its place in the list, tells of its author; texts that tell nothing are left out.

    A card shows the texts below each other, so a number that is spread over several is found too.
    """
    author = Author(name=profile.name, born=profile.date_of_birth)
    found = {at: kinds for at, text in enumerate(texts) if (kinds := find_contact(text, author))}
    for at in _spread_number(texts, found):
        found[at] = found.get(at, frozenset()) | {Finding.PHONE}
    return found


def _spread_number(texts: Sequence[str], found: Mapping[int, frozenset[Finding]]) -> set[int]:
    """The texts over which a number is spread: of each such run the shortest, so that no innocent text is in it."""
    innocent = ["" if Finding.PHONE in found.get(at, ()) else text for at, text in enumerate(texts)]
    spread: set[int] = set()
    if not _has_number(innocent):
        return spread
    start = 0
    for end in range(1, len(innocent) + 1):
        if not _has_number(innocent[start:end]):
            continue
        while _has_number(innocent[start + 1 : end]):
            start += 1
        spread.update(range(start, end))
        start += 1
    return spread


def _has_number(texts: Sequence[str]) -> bool:
    return tells_number("\n".join(texts))
