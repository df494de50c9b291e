"""Which reveal may be opened, by the rules of the service alone, and what the opening changes."""

from __future__ import annotations

import pytest
from unora_reveal.domain.events import RevealUnlocked
from unora_reveal.domain.facts import FramedText
from unora_reveal.domain.reveals import ConnectionEnded, RevealLocked, Status, require_openable, unlock

from tests.unit.reveal.reveals import NOW, make_reveal

READY = [Status.EARNED, Status.PURCHASED, Status.UNLOCKED]


@pytest.mark.rule("RE-04")
@pytest.mark.parametrize("status", READY)
@pytest.mark.parametrize("days", range(15))
def test_the_identity_is_locked_before_day_15_whatever_its_row_says(status: Status, days: int) -> None:
    with pytest.raises(RevealLocked):
        require_openable(make_reveal(5, status, completed_days=days))


@pytest.mark.rule("RE-04")
def test_the_identity_opens_on_day_15() -> None:
    require_openable(make_reveal(5, Status.EARNED, completed_days=15))


@pytest.mark.rule("RE-11")
@pytest.mark.parametrize("number", range(1, 5))
def test_a_reveal_opens_unless_it_is_locked(number: int) -> None:
    for status in READY:
        require_openable(make_reveal(number, status))
    with pytest.raises(RevealLocked):
        require_openable(make_reveal(number, Status.LOCKED, completed_days=15))


@pytest.mark.rule("RE-10")
@pytest.mark.parametrize("number", range(1, 6))
def test_nothing_opens_after_the_end(number: int) -> None:
    for status in READY:
        with pytest.raises(ConnectionEnded):
            require_openable(make_reveal(number, status, completed_days=15, ended=True))


@pytest.mark.rule("RE-02")
def test_the_refusal_of_a_locked_reveal_has_no_metadata() -> None:
    assert RevealLocked().metadata == {}


@pytest.mark.rule("RE-09", "RE-11", "XX-01")
def test_the_first_opening_stores_the_text_and_its_event_holds_none() -> None:
    text = FramedText("Their pace", "Unhurried.")
    unlocked, event = unlock(make_reveal(2, Status.EARNED, version=1), text, NOW)
    assert (unlocked.status, unlocked.unlocked_at, unlocked.version, unlocked.framed) == (Status.UNLOCKED, NOW, 2, text)
    assert event == RevealUnlocked(
        reveal_id=unlocked.id,
        version=2,
        streak_id=unlocked.streak_id,
        user_id=unlocked.user_id,
        reveal_number=2,
        occurred_at=NOW,
    )
