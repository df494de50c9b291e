"""Common words that are also names: beside them a name is not told (PR-10), unless they are introduced as a name."""

from typing import Final

from unora_text.lists import from_file

COMMON_WORDS: Final = from_file("common_words.txt")
