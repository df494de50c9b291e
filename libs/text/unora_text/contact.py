"""PR-10, RE-06: whether a text tells how to reach or name its author.

The guard reads a text in each way in which a person may read it (`reading`), and asks each reading for phone numbers,
links, handles, addresses, birth dates and names. Each kind has a module of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from unora_text.addresses import has_address
from unora_text.dates import has_birth_date
from unora_text.handles import has_handle
from unora_text.links import has_link
from unora_text.names import has_name
from unora_text.phones import has_phone
from unora_text.reading import Reading, parts, readings

GUARD_VERSION: Final = 3
"""Raise it by one whenever `find_contact` finds more or less than before: texts are then judged again."""


MOST_READINGS: Final = 4
"""A text that can be read in more ways hides something, and costs time in each of them: it is refused unread."""


class Finding(StrEnum):
    """What a text tells. It may be logged and sent in an error, since it holds nothing of the text."""

    NAME = "name"
    PHONE = "phone"
    CONTACT = "contact"
    """A handle, link, e-mail address, or where to find the author."""
    DATE = "date"
    """A birth date."""
    ADDRESS = "address"
    """A street with a number, or a postal address."""


@dataclass(frozen=True, slots=True, repr=False)  # no repr: a name must not get into a log
class Author:
    """What is known of the author of a text. Empty and None mean: not known."""

    name: str = ""
    born: date | None = None


UNKNOWN: Final = Author()


def find_contact(text: str, author: Author = UNKNOWN) -> frozenset[Finding]:
    """PR-10: all that the text tells of how to reach or name its author. Empty means that the text may be shown."""
    found: set[Finding] = set()
    for part in parts(text):
        ways = readings(part)
        if len(ways) > MOST_READINGS:
            found.add(Finding.CONTACT)
            continue
        for reading in ways:
            found.update(kind for kind, tells in _KINDS.items() if kind not in found and tells(reading, author))
    return frozenset(found)


def tells_number(text: str) -> bool:
    """Whether `find_contact` finds a phone number. It costs a fifth of that."""
    return any(has_phone(reading) for part in parts(text) for reading in readings(part)[:MOST_READINGS])


_KINDS: Final[Mapping[Finding, Callable[[Reading, Author], bool]]] = {
    Finding.NAME: lambda reading, author: has_name(reading, author.name),
    Finding.PHONE: lambda reading, _: has_phone(reading),
    Finding.CONTACT: lambda reading, _: has_link(reading) or has_handle(reading),
    Finding.DATE: lambda reading, author: has_birth_date(reading, author.born),
    Finding.ADDRESS: lambda reading, _: has_address(reading),
}
