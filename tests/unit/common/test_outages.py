"""An outage is said once, and when it is over; what an answer can do without is left out meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from unora_common.errors import Unavailable
from unora_common.outages import Outage


class Lines:
    """The events that were logged."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warning(self, event: str, **_: object) -> None:
        self.said.append(event)

    info = warning


async def give(what: object) -> object:
    if isinstance(what, Exception):
        raise what
    return what


@pytest.fixture
def lines() -> Any:
    return Lines()


async def test_what_fails_for_a_while_is_replaced_and_logged_once(lines: Any) -> None:
    outage = Outage(lines, "no cards")
    assert [await outage.bridge(give(each), "none") for each in (Unavailable(), Unavailable(), "cards", "cards")] == [
        *("none", "none", "cards", "cards"),
    ]
    assert lines.said == ["no cards", "no cards: over"]


async def test_where_nothing_is_asked_an_outage_is_not_over(lines: Any) -> None:
    outage = Outage(lines, "no cards")
    await outage.bridge(give(Unavailable()), "none")
    assert await outage.bridge(None, "none") == "none"
    assert lines.said == ["no cards"]
    assert await outage.bridge(give("cards"), "none") == "cards"
    assert lines.said == ["no cards", "no cards: over"]


async def test_what_does_not_pass_by_itself_is_raised_and_not_taken_for_an_outage(lines: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        await Outage(lines, "no cards").bridge(give(ZeroDivisionError()), "none")
    assert lines.said == []
