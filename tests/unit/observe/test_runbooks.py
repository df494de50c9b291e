"""The runbooks: each alert has a section that says all that somebody who was woken needs, and no other is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from unora_tools.observe import rules

FOLDER = rules.ROOT / "docs" / "runbooks"
PARTS = ("Symptom", "Who is hurt", "Confirm", "Do", "Undo", "Escalate")
SECTION = re.compile(r"^## (\w+)$", re.MULTILINE)
PART = re.compile(r"^\*\*([A-Z][a-z ]+)\.\*\*(.*?)(?=^\*\*[A-Z]|\Z)", re.MULTILINE | re.DOTALL)
FEWEST_LETTERS = 15
METRIC = re.compile(r"\b(?:unora|envoy)_[a-z0-9_:]+")
HELPERS = {"unora_tools", "unora_common"}
ALERTS = sorted({alert.name for alert in rules.alerts()})


@cache
def sections(page: Path) -> dict[str, str]:
    """The text of each alert's section, by its name."""
    _, *parts = SECTION.split(page.read_text())
    return dict(zip(parts[::2], parts[1::2], strict=True))


def pages() -> list[Path]:
    return sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_the_address_in_an_alert_leads_to_its_section(alert: rules.Alert) -> None:
    page, _, anchor = alert.annotations["runbook_url"].partition("#")
    assert anchor == alert.name.lower()
    assert alert.name in sections(rules.ROOT / page)


@pytest.mark.parametrize("name", ALERTS)
def test_a_section_says_all_that_somebody_who_was_woken_needs(name: str) -> None:
    (text,) = (text for page in pages() for section, text in sections(page).items() if section == name)
    said = {part: words.strip() for part, words in PART.findall(text)}
    assert tuple(said) == PARTS
    assert [part for part, words in said.items() if len(words) < FEWEST_LETTERS] == []
    assert "`" in said["Confirm"], "how to confirm is a command"


def test_no_section_is_without_an_alert_and_no_page_without_a_link() -> None:
    assert sorted(section for page in pages() for section in sections(page)) == ALERTS
    index = (FOLDER / "README.md").read_text()
    assert [page.name for page in pages() if f"({page.name})" not in index] == []
