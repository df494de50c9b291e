"""Which words a model may use."""

from __future__ import annotations

import pytest
from unora_text.plain_words import is_plain


@pytest.mark.parametrize("word", ["walk", "walks", "walked", "walking", "stories", "loves", "going", "kindly"])
def test_everyday_words_and_their_regular_forms_are_plain(word: str) -> None:
    assert is_plain(word)


@pytest.mark.rule("RE-06")
@pytest.mark.parametrize("word", ["ass", "asses", "ines", "mating", "stoned", "me", "ada", "zork", "nqn"])
def test_endings_make_no_other_words_of_short_ones(word: str) -> None:
    assert not is_plain(word)
