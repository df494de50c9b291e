"""The table of screens in the docs is what the journey draws."""

from __future__ import annotations

import re
from pathlib import Path

from unora_demo.screens import MOST_CALLS, SCREENS
from unora_tools.reference import methods

PAGE = Path(__file__).parents[3] / "docs" / "screens.md"
ROW = re.compile(r"^\| ([a-z ]+) \| (`[^|]+`) \|", re.MULTILINE)


def test_the_docs_name_the_calls_of_each_screen() -> None:
    told = {title: tuple(re.findall(r"`([^`]+)`", calls)) for title, calls in ROW.findall(PAGE.read_text())}
    assert told == {screen.title: screen.methods for screen in SCREENS}


def test_a_screen_takes_at_most_two_calls_of_members() -> None:
    known = {f"{method.service}.{method.name}" for method in methods() if "member" in method.who}
    assert {name for screen in SCREENS for name in screen.methods} <= known
    assert max(len(screen.methods) for screen in SCREENS) <= MOST_CALLS
