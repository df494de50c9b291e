"""Texts as the guard compares them: case, accents, width and punctuation make no difference."""

import re
import unicodedata

_APOSTROPHES = re.compile("['’ʼ‘`´]")
# Scripts written without spaces: kana, ideographs, Thai, Lao, Khmer, Myanmar. Each character counts as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_UNSPACED_RUN = re.compile(rf"[{_UNSPACED}]+")


def folded(text: str) -> str:
    """One width, no invisible characters, no case."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def plain(text: str) -> str:
    """As `folded`, and without accents."""
    apart = unicodedata.normalize("NFKD", folded(text))
    return "".join(char for char in apart if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """The words, plain. An apostrophe does not split a word, other punctuation does."""
    return _WORD.findall(_APOSTROPHES.sub("", plain(text)))


def letter_pieces(text: str) -> list[str]:
    """The pieces between punctuation and spaces: letters and digits with their accents."""
    return "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in text).split()


def unspaced_parts(text: str, longest: int) -> set[str]:
    """Every substring of up to `longest` characters of text in scripts without spaces: each may be a name."""
    return {
        run[start : start + length]
        for run in _UNSPACED_RUN.findall(text)
        for start in range(len(run))
        for length in range(1, longest + 1)
    }
