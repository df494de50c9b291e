"""What a framed reveal may draw on, and what comes of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hobby:
    """A hobby of the other: its option, and what they say of it."""

    option: str
    """The stable lower_snake id."""
    name: str
    """The option's name, the same for everyone."""
    words: str
    """Their own words: to be understood, never to be repeated (RE-06)."""


@dataclass(frozen=True, slots=True, repr=False)  # no repr: personal words have no business in a log
class Facts:
    """What identity tells of a member for framing and for the guard; never the name, never a photo."""

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
class Framed:
    """A text about the other, as the member gets it: a few words, and one short paragraph."""

    title: str
    text: str
