"""Members as identity describes them to reveal, and strategies that generate them."""

from __future__ import annotations

import hashlib
import unicodedata

from hypothesis import strategies as st
from unora_reveal.domain.facts import Facts, Hobby
from unora_reveal.domain.themes import THEMES

from tests.examples import examples

few_examples = examples(60)
SALT = b"0123456789abcdef"
OPTIONS = sorted(THEMES)


def name_digests(name: str, salt: bytes = SALT) -> frozenset[bytes]:
    """As the contract of GetRevealFacts says: salt, then the word, case-folded, in UTF-8."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return frozenset(hashlib.sha256(salt + word.encode()).digest() for word in folded.split())


def make_hobby(option: str, words: str = "") -> Hobby:
    """A hobby with its option's name."""
    return Hobby(option, option.replace("_", " ").capitalize(), words)


def make_facts(
    name: str = "", *hobbies: Hobby, bio: str = "", occupation: str = "", city: str = "", salt: bytes = SALT
) -> Facts:
    """The facts of a member; the guard can recognise `name`."""
    return Facts(hobbies, bio, occupation, city, name_digests(name, salt), salt)


def _survives_case_and_composition(char: str) -> bool:
    """Whether a letter comes back from upper case and from composition: a few letters do not."""
    upper = unicodedata.normalize("NFC", char.upper()).casefold()
    return upper == char.casefold() and char.isalpha() and unicodedata.is_normalized("NFKC", char)


LETTERS = [char for char in map(chr, range(0x41, 0x500)) if _survives_case_and_composition(char)]
name_words = st.text(st.sampled_from(LETTERS), min_size=2, max_size=12).filter(
    lambda word: unicodedata.is_normalized("NFC", word)
)
free_text = st.text(max_size=140)
any_hobbies = st.lists(
    st.builds(make_hobby, st.sampled_from(OPTIONS), free_text),
    min_size=0,
    max_size=10,
    unique_by=lambda each: each.option,
)
any_facts = st.builds(
    lambda name, chosen, bio, occupation, city: make_facts(
        " ".join(name), *chosen, bio=bio, occupation=occupation, city=city
    ),
    st.lists(name_words, max_size=3),
    any_hobbies,
    free_text,
    free_text,
    free_text,
)
