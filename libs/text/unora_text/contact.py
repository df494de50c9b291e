"""PR-10, RE-06: whether a text tells how to reach or name its author.

The guard reads a text in each way in which a person may read it (`reading`), and asks each reading for phone numbers,
links, handles, addresses, birth dates and names. Each kind has a module of its own.
"""

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

GUARD_VERSION: Final = 1
"""Raise it by one whenever `find_contact` finds more or less than before: texts are then judged again."""


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
    return frozenset(
        finding for part in parts(text) for reading in readings(part) for finding in _findings(reading, author)
    )


def _findings(reading: Reading, author: Author) -> list[Finding]:
    told = {
        Finding.NAME: has_name(reading, author.name),
        Finding.PHONE: has_phone(reading),
        Finding.CONTACT: has_link(reading) or has_handle(reading),
        Finding.DATE: has_birth_date(reading, author.born),
        Finding.ADDRESS: has_address(reading),
    }
    return [finding for finding, is_told in told.items() if is_told]
