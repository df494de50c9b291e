"""PR-10: what the people of the demo write about their hobbies is taken, whoever writes it, about which hobby ever."""

from datetime import date
from importlib import import_module
from itertools import product

import pytest
from unora_local.cast import PEOPLE
from unora_local.members import MICRO_DESCRIPTIONS
from unora_text.contact import Author, find_contact


@pytest.mark.rule("PR-10")
def test_the_people_of_the_demo_write_nothing_that_is_refused() -> None:
    options = import_module("unora_identity.migrations.0001_identity").HOBBIES
    names = [name.lower() for category in options.values() for name in category]
    texts = [words.format(name) for words, name in product(MICRO_DESCRIPTIONS, names)]
    assert [text for text in texts if find_contact(text)] == []
    for person in PEOPLE:
        author = Author(person.name, date(person.year, 5, 17))
        assert [text for text in texts[:: len(names) // 2] if find_contact(text, author)] == []
        assert not any(person.name.lower() in text for text in texts)
