"""What reveal knows of a member from identity, and the texts that it makes from that. None of it may be logged."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, repr=False)  # no repr: the member's own words must not get into a log
class Hobby:
    """A hobby of a member: the option, and what the member wrote about it."""

    option: str
    """The stable lower_snake id."""
    name: str
    """The option's name, the same for everyone."""
    words: str
    """The member's own words. They may guide a text, and must never be repeated in it (RE-06)."""


@dataclass(frozen=True, slots=True, repr=False)
class Facts:
    """What identity knows of a member for framing and for the guard. Never the name, never a photo."""

    hobbies: tuple[Hobby, ...]
    bio: str = ""
    occupation: str = ""
    city: str = ""
    name_digests: frozenset[bytes] = frozenset()
    """SHA-256 of the salt and each word of the name, case-folded, in UTF-8."""
    name_salt: bytes = b""

    @property
    def own_texts(self) -> tuple[str, ...]:
        """All that the member wrote freely."""
        return (self.bio, self.occupation, self.city, *(hobby.words for hobby in self.hobbies))


@dataclass(frozen=True, slots=True, repr=False)
class FramedText:
    """A text about a member: a title of a few words, and one short paragraph."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Photo:
    """A photo of the partner, with a link for each size (PR-09); all expire at once."""

    id: UUID
    url: str
    thumbnail_url: str
    card_url: str
    url_expires_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """The partner's name and photos: handed through to the member, and stored nowhere (RE-04)."""

    name: str
    photos: tuple[Photo, ...]
