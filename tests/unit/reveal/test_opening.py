"""Which reveal may be opened, judged by the service alone."""

from __future__ import annotations

import pytest
from unora_reveal.domain.reveals import ConnectionEnded, RevealLocked, Status, require_openable

READY = [Status.EARNED, Status.PURCHASED, Status.UNLOCKED]


@pytest.mark.rule("RE-04")
@pytest.mark.parametrize("status", READY)
@pytest.mark.parametrize("days", range(15))
def test_the_identity_is_locked_before_day_15_whatever_its_row_says(status: Status, days: int) -> None:
    with pytest.raises(RevealLocked):
        require_openable(5, status, days, ended=False)


@pytest.mark.rule("RE-04")
def test_the_identity_opens_on_day_15() -> None:
    require_openable(5, Status.EARNED, 15, ended=False)


@pytest.mark.rule("RE-11")
@pytest.mark.parametrize("number", range(1, 5))
def test_what_is_ready_opens_and_what_is_locked_does_not(number: int) -> None:
    for status in READY:
        require_openable(number, status, 0, ended=False)
    with pytest.raises(RevealLocked):
        require_openable(number, Status.LOCKED, 15, ended=False)


@pytest.mark.rule("RE-10")
@pytest.mark.parametrize("number", range(1, 6))
def test_nothing_opens_after_the_end(number: int) -> None:
    for status in READY:
        with pytest.raises(ConnectionEnded):
            require_openable(number, status, 15, ended=True)


@pytest.mark.rule("RE-02")
def test_a_locked_reveal_says_nothing_more() -> None:
    assert RevealLocked().metadata == {}
