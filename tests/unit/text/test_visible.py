"""PR-12: what of a text can be seen, and how long it is as people count."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_text.visible import is_overloaded, length, shows_nothing, tidy

pytestmark = pytest.mark.rule("PR-12")

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u200b\u200c\u200d\u200e\u2060\u2064\u3164\ufe0f\ufeff\uffa0\ufff9"
)
BLANKS = "\u2800\U0001d159\U00013441\u00a0\u3000"
PIECES = st.sampled_from(
    [*INVISIBLE, *BLANKS, *"aé1 .", "\u0301", "\u0308", "👩", "🏽", "❤", "م", "ی", "क", "्", "葛", "\U000e0041"]
)


@pytest.mark.parametrize("char", [*INVISIBLE, *BLANKS, "\U000e0041", "\U000e0100", "\U0001d173", "\ue000"])
def test_what_is_not_seen_makes_no_text(char: str) -> None:
    for text in (char, char * 3, f" {char} ", f"{char}\u0301"):
        assert shows_nothing(text)
    assert not shows_nothing(f"{char}a{char}")


@pytest.mark.parametrize(
    "text", ["a", "中", ".", "1", "€", "☕", "❤️", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "क्ष", "שלום", "⠓⠑⠇⠇⠕"]
)
def test_what_is_seen_stays_as_it_is(text: str) -> None:
    assert not shows_nothing(text)
    assert tidy(text) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("e\u0301", 1),
        ("a\u200b\u200b", 1),
        ("👨‍👩‍👧‍👦", 1),
        ("👩🏽‍❤️‍💋‍👩🏿", 1),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
        ("🇩🇪🇫🇷", 2),
        ("1️⃣2", 2),
        ("नमस्ते", 3),
        ("می‌خواهم", 7),
        ("\u2800a\u2800", 1),
        ("a b", 3),
    ],
)
def test_lengths_are_as_people_count(text: str, count: int) -> None:
    assert length(tidy(text)) == count


@pytest.mark.parametrize(
    "text", ["a\u200db", "a\u200cb", "a\ufe0fb", "a\u200fb", "\ufeffab", "a\U000e0062b", "a\u3164b", "a\u00adb"]
)
def test_an_invisible_character_that_does_nothing_is_removed(text: str) -> None:
    assert tidy(text) == "ab"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("می\u200c\u200cخواهم", "می\u200cخواهم"),
        ("ক\u09cd\u200d", "ক\u09cd\u200d"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("ភាសា\u200bខ្មែរ", "ភាសា\u200bខ្មែរ"),
        ("👩\u200d🚀\u200d", "👩\u200d🚀"),
    ],
)
def test_an_invisible_character_stays_where_a_script_or_an_emoji_needs_it(text: str, cleaned: str) -> None:
    assert tidy(text) == cleaned


def test_no_emoji_or_syllable_is_taken_for_a_pile_of_marks() -> None:
    for text in ("👩🏻‍❤️‍💋‍👩🏻", "👨🏻‍👩🏻‍👧🏻‍👦🏻", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "ཧྐྵྨླྺྼྻྂ", "क्ष्म्य्र्वि", "בְּרֵאשִׁ֖ית"):
        assert not is_overloaded(text)
    assert is_overloaded("Z" + "\u0338" * 16)
    assert is_overloaded("fine, and then Z" + "\u0301" * 10_000)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_a_tidy_text_is_composed_and_stays_as_it_is(text: str) -> None:
    cleaned = tidy(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert tidy(cleaned) == cleaned
    assert shows_nothing(cleaned) == shows_nothing(text)
    assert length(cleaned) <= len(text)


def test_tags_stay_only_in_the_flags_that_are_drawn_with_them() -> None:
    england = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    hidden = "🏴\U000e0069\U000e0067\U000e007f"
    assert tidy(england * 2) == england * 2
    assert tidy(hidden) == "🏴"
