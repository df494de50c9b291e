"""The figures of a drill: what was lost, and for how long nothing was answered."""

from __future__ import annotations

from typing import Any, cast

import pytest
from unora_drill.diary import NUMBERS, Diary, words
from unora_drill.record import Record
from unora_local.client import Session
from unora_local.progress import Progress
from unora_upgrade.checks import Check


def diary(answered: list[float], refused: list[float]) -> Diary:
    return Diary(cast(Session, None), answered, [(at, "UNAVAILABLE") for at in refused])


def test_each_number_has_words_of_its_own() -> None:
    assert len({words(number) for number in range(NUMBERS)}) == NUMBERS


@pytest.mark.parametrize(("kept", "seconds"), [(4, 0.0), (3, 2.0), (1, 6.0), (0, 0.0)])
def test_what_is_lost_is_what_was_answered_after_the_last_kept_change(kept: int, seconds: float) -> None:
    assert diary([1.0, 2.0, 5.0, 7.0], []).lost_seconds(kept) == seconds


def test_an_outage_ends_with_the_next_answer() -> None:
    written = diary([1.0, 2.0, 9.5], [3.0, 4.0])
    assert written.outage(2.5) == 6.5
    assert written.outage(5.0) == 0.0
    assert written.reasons() == "2 × UNAVAILABLE"


async def test_the_kept_changes_are_those_up_to_what_the_database_holds() -> None:
    class Superuser:
        async def fetchval(self, *_: object) -> str:
            return words(1)

    written = diary([1.0, 2.0, 5.0], [])
    written.session = cast(Session, type("Known", (), {"user_id": "one"}))
    assert await written.kept(cast(Any, Superuser())) == 2


def test_a_record_says_all_and_fails_with_any_check() -> None:
    record = Record("NATS lost its data", Progress(), broken="the folder", noticed=["an alert"], lost_seconds=1.5)
    record.steps.append(("start nats", 0.25))
    assert [each for each in (record,) if each.ok] == [record]
    record.expect("nothing lost", holds=False, found="3 events")
    record.checks.append(Check("dead letters", [], "0"))
    assert not record.ok
    said = str(record)
    for part in ("NATS lost its data", "broken: the folder", "noticed: an alert", "start nats", "RPO 1.5 s"):
        assert part in said
    assert "✗ nothing lost: 3 events" in said
    assert "✓ dead letters: 0" in said
