"""The lists that measure the contact guard are what their README says: split by hash, no repetitions, large enough."""

import unicodedata
from collections import Counter

import pytest

from tests.contact_corpus import COLUMNS, FOLDER, Entry, Part, load, part_of

LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl")
PARTS: tuple[Part, ...] = ("tuning", "held_out")
EVASIONS = {
    *("phone_digits", "phone_words", "phone_mixed", "other_digits", "homoglyph_digits", "email", "link", "handle"),
    *("disguised_handle", "channel", "own_name", "birth_date", "address"),
}
HARMLESS = {
    *("plain", "number", "year", "date", "place", "band", "team", "title", "recipe", "sport", "technical"),
    *("abbreviation", "common_word_name", "others_name", "counting", "platform_mention", "script", "emoji"),
}
INHERITED_MARKS = (
    (0x300, 0x36F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE2F),
    (0xE0100, 0xE01EF),
)
FILLERS = "\u115f\u1160\u3164\uffa0\u2800\U0001d159"


def everything() -> list[Entry]:
    return [entry for part in PARTS for entry in load(part)]


def unseen(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category in {"Cf", "Cc", "Zl", "Zp"}
        or (category == "Zs" and character != " ")
        or character in FILLERS
        or any(first <= ord(character) <= last for first, last in INHERITED_MARKS)
    )


@pytest.mark.parametrize("part", PARTS)
def test_the_hash_of_a_text_decides_its_part(part: Part) -> None:
    misplaced = sum(part_of(entry.text) != part for entry in load(part))
    assert not misplaced, f"{misplaced} texts of {part}.tsv belong to the other part: move them by their hash"


def test_no_text_stands_twice() -> None:
    texts = Counter(unicodedata.normalize("NFC", entry.text).casefold() for entry in everything())
    repeated = [text for text, times in texts.items() if times > 1 and part_of(text) == "tuning"]
    assert len(texts) == texts.total(), f"remove the repetitions; in the tuning part: {repeated}"


@pytest.mark.parametrize("part", PARTS)
def test_every_column_holds_what_the_readme_says(part: Part) -> None:
    for line, entry in enumerate(load(part), start=2):
        where = f"{part}.tsv:{line}"
        kinds = {"evasion": EVASIONS, "harmless": HARMLESS}.get(entry.verdict)
        assert kinds, f"{where}: no such verdict: {entry.verdict}"
        assert entry.kind in kinds, f"{where}: no such kind of {entry.verdict}: {entry.kind}"
        assert entry.language in (*LANGUAGES, "xx"), f"{where}: no such language: {entry.language}"
        assert entry.name or entry.kind not in {"own_name", "common_word_name", "others_name"}, (
            f"{where}: name the author"
        )
        assert entry.born or entry.kind != "birth_date", f"{where}: give the author's birth date"


@pytest.mark.parametrize("part", PARTS)
def test_every_text_has_the_length_of_a_micro_description(part: Part) -> None:
    for line, entry in enumerate(load(part), start=2):
        seen = [c for c in entry.text if unicodedata.category(c)[0] != "M" and unicodedata.category(c) != "Cf"]
        assert len(seen) <= 140, f"{part}.tsv:{line} is too long"
        assert len(entry.text) >= 3, f"{part}.tsv:{line} is too short"
        assert entry.text == entry.text.strip(" "), f"{part}.tsv:{line}: remove the spaces around the text"


@pytest.mark.parametrize("part", PARTS)
def test_every_line_can_be_read(part: Part) -> None:
    for line, row in enumerate((FOLDER / f"{part}.tsv").read_text("utf-8").split("\n")[:-1], start=1):
        cells = row.split("\t")
        assert len(cells) == len(COLUMNS), f"{part}.tsv:{line} has {len(cells)} columns"
        hidden = [f"U+{ord(c):04X}" for cell in cells for c in cell if unseen(c)]
        assert not hidden, f"{part}.tsv:{line}: write {hidden} as escapes"


def test_there_are_enough_texts_in_every_language() -> None:
    found = Counter((entry.verdict, entry.language) for entry in everything())
    assert sum(count for (verdict, _), count in found.items() if verdict == "evasion") >= 450
    assert sum(count for (verdict, _), count in found.items() if verdict == "harmless") >= 1400
    for language in LANGUAGES:
        assert found["evasion", language] >= 40, f"write more evasions in {language}"
        assert found["harmless", language] >= 150, f"write more harmless texts in {language}"


def test_the_held_out_part_can_tell_rates_by_language() -> None:
    found = Counter((entry.verdict, entry.language) for entry in load("held_out"))
    for language in LANGUAGES:
        assert found["evasion", language] >= 20, f"one miss in {language} would be more than 5 %"
        assert found["harmless", language] >= 70, f"too few held-out harmless texts in {language}"


def test_what_may_be_argued_about_is_rare_and_near_misses_are_common() -> None:
    kinds = Counter(entry.kind for entry in everything() if entry.verdict == "harmless")
    assert kinds["platform_mention"] <= 0.02 * kinds.total()
    near_misses = kinds.total() - kinds["plain"] - kinds["script"] - kinds["emoji"]
    assert near_misses >= 0.5 * kinds.total()
