"""PR-10: a text that the guard refuses stays refused in any disguise of its letters and digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from unora_text import contact
from unora_text.contact import Author, Finding, find_contact
from unora_text.reading import MAX_READ, parts, readings

from tests.examples import examples

pytestmark = pytest.mark.rule("PR-10")
AUTHOR = Author("Theodora Blackwell", date(1994, 5, 17))
EVASIONS = [
    "insta annaquill",
    "telegram: annaquill",
    "call 0151 2345 6789",
    "null eins fünf eins zwei acht",
    "annaquill@mail.example",
    "annaquill punkt de",
    "wa.me/447700900461",
    "Theodora paints",
    "Miss Blackwell",
    "17.05.1994",
    "the seventeenth of May",
    "Kerkstraat 7",
]
LOOKALIKES = str.maketrans("aeopcxyisj", "аеорсхуіѕј")


def wide(text: str) -> str:
    """In full width, as in Japanese typing."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def bold(text: str) -> str:
    """In mathematical bold letters and digits."""
    return "".join(
        chr(0x1D41A + ord(char) - 97) if "a" <= char <= "z"
        else chr(0x1D400 + ord(char) - 65) if "A" <= char <= "Z"
        else chr(0x1D7CE + ord(char) - 48) if "0" <= char <= "9"
        else char
        for char in text
    )  # fmt: skip


def between(sign: str) -> Callable[[str], str]:
    """With an unseen sign, or a mark, after each character."""
    return lambda text: sign.join(text) + sign


DISGUISES: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    wide,
    bold,
    between("\u200b"),
    between("\u00ad"),
    between("\u2060"),
    between("\ufe0f"),
    between("\u0336"),
    between("\u0301"),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: unicodedata.normalize("NFKD", text),
    lambda text: f"Sourdough and jazz, {text}",
    lambda text: f"{text} 🌻",
]


@examples(150)
@given(st.sampled_from(EVASIONS), st.lists(st.sampled_from(DISGUISES), max_size=2))
def test_an_evasion_is_found_in_any_disguise(evasion: str, disguises: list[Callable[[str], str]]) -> None:
    text = evasion
    for disguise in disguises:
        text = disguise(text)
    assert find_contact(text, AUTHOR)


@pytest.mark.parametrize("evasion", ["insta annaquill", "telegram: annaquill", "Theodora paints", "Miss Blackwell"])
def test_letters_of_other_scripts_hide_nothing(evasion: str) -> None:
    assert find_contact(evasion.translate(LOOKALIKES), AUTHOR)


@examples(100)
@given(st.text(st.sampled_from("0123456789"), min_size=8, max_size=13), st.sampled_from(" -./·•|"), st.data())
def test_a_number_is_found_in_the_digits_of_any_script(digits: str, separator: str, data: st.DataObject) -> None:
    zeros = data.draw(st.lists(st.sampled_from("0٠०০๐０𝟎"), min_size=len(digits), max_size=len(digits)))
    written = "".join(chr(ord(zero) + int(digit)) for zero, digit in zip(zeros, digits, strict=True))
    at = data.draw(st.integers(2, 5))
    assume(not re.fullmatch(r"(1[4-9]|20)\d\d[-/](1[4-9]|20)\d\d", f"{digits[:at]}{separator}{digits[at:]}"))  # years
    assert find_contact(f"call {written[:at]}{separator}{written[at:]}")


@examples(100)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert find_contact(text, AUTHOR) == find_contact(text, AUTHOR)


@pytest.mark.parametrize("filler", ["7", "a ", "x", "\u0301", "a\u200b", "😀", "one ", "@a", "\U000e0061", "ɐ", "一"])
def test_a_long_text_is_read_in_parts_of_bounded_size(filler: str) -> None:
    text = filler * 2000
    pieces = parts(text)
    assert all(len(piece) <= MAX_READ for piece in pieces)
    assert len(pieces) <= len(text) // 300 + 1
    find_contact(text, AUTHOR)


def test_nothing_hides_between_or_behind_the_parts_of_a_long_text() -> None:
    for size in range(380, 620, 7):
        assert find_contact("soup " * (size // 5) + "insta annaquill", AUTHOR)
    assert find_contact("\u200b" * 5000 + "insta annaquill" + "\u0301" * 5000, AUTHOR)


def test_a_text_that_can_be_read_in_too_many_ways_is_refused_without_being_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each way costs time: somebody may combine disguises only to spend ours."""
    many = "ɐ.ɔ.ǝ. 🇦 1 a ü.a 🇦 1 1 a"
    assert len(readings(many)) > contact.MOST_READINGS
    monkeypatch.setattr(contact, "has_phone", lambda _: pytest.fail("it was read"))
    assert find_contact(many, AUTHOR) == {Finding.CONTACT}


@pytest.mark.parametrize("text", ["🇺🇸 U. S. A. all the way", "/ˈɹʌnɪŋ/ is how I say it", "🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁷󠁬󠁳󠁿 and home"])
def test_a_harmless_text_may_be_read_in_several_ways(text: str) -> None:
    assert not find_contact(text, AUTHOR)


def test_flags_that_are_drawn_with_tags_hide_no_text() -> None:
    assert len(readings("🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁷󠁬󠁳󠁿")) == 1
