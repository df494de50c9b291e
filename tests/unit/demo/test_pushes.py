"""What the demo says of the notifier beside it, which holds up nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from unora_demo import notifier, pushes
from unora_demo.notifications import MUTED_KIND
from unora_demo.notifier import BUDGET, KINDS, NAME, Notifier
from unora_demo.timeline import Note
from unora_local.client import Unexpected
from unora_local.process import Process
from unora_local.run_folder import RunFolder

ONE, OTHER, STRANGER = "one", "other", "of an earlier story"


class Clock:
    """A stack on which so many events have not been delivered."""

    def __init__(self, *undelivered: int) -> None:
        self.left = list(undelivered)

    async def undelivered(self, subscriber: str) -> dict[str, int]:
        assert subscriber == NAME
        number = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return {"consumer": number} if number else {}

    async def wait_until_idle(self) -> None:
        pass


class Running(Process):
    """Never started, and said to run."""

    @property
    def running(self) -> bool:
        return True


def make(folder: Path, told: dict[str, list[str]], dropped: tuple[str, ...] = (), *, runs: bool = True) -> Notifier:
    """A notifier with what it has noted."""
    kind = Running if runs else Process
    made = Notifier(RunFolder(folder), kind(NAME, ("true",), folder / "notifier.log"), budget=0.1)
    notifier.store(made.folder).mkdir(parents=True)
    connection = sqlite3.connect(notifier.store(made.folder) / "pushed.db")
    with connection:
        connection.execute("CREATE TABLE pushed (kind, user_id, at)")
        connection.execute("CREATE TABLE dropped (kind)")
        rows = [(kind, user, at) for kind, users in told.items() for at, user in enumerate(users)]
        connection.executemany("INSERT INTO pushed VALUES (?, ?, ?)", rows)
        connection.executemany("INSERT INTO dropped VALUES (?)", [(kind,) for kind in dropped])
    connection.close()
    return made


def stage(made: Notifier | None) -> Any:
    people = [SimpleNamespace(id=each, person=SimpleNamespace(name=each.title())) for each in (ONE, OTHER)]
    return SimpleNamespace(notifier=made, members=people, one=people[0], clock=Clock(0))


async def said(made: Notifier | None) -> str:
    note = Note(cast(Any, None))
    await pushes.seen(stage(made), note)
    return note.detail


def all_but(*left_out: str) -> dict[str, list[str]]:
    return {kind: [OTHER] for kind in KINDS if kind not in left_out}


async def test_all_kinds_were_told(tmp_path: Path) -> None:
    made = make(tmp_path, all_but() | {"match": [ONE, OTHER, ONE, STRANGER]})
    assert await said(made) == "9 messages of 7 kinds, and none that was muted"
    found = pushes.lines(stage(made))
    assert (found[0], found[-1], len(found)) == ("pushed by the notifier:", "", 9)
    assert found[1].split() == ["match", "3", "to", "One,", "Other"]


async def test_a_kind_that_nobody_was_told_is_reported(tmp_path: Path) -> None:
    made = make(tmp_path, all_but("nudge") | {"nudge": [STRANGER]})
    assert (await said(made)).startswith("nobody was told: nudge; see ")
    assert made.budget <= 0


async def test_a_member_who_muted_a_category_and_was_told_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Unexpected, match="muted"):
        await said(make(tmp_path, all_but() | {MUTED_KIND: [ONE]}))


async def test_one_that_ended_by_itself_is_reported(tmp_path: Path) -> None:
    detail = await said(make(tmp_path, all_but("match"), runs=False))
    assert detail.startswith("it has ended, and nobody was told: match; see ")


async def test_notes_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    made = make(tmp_path, {})
    (notifier.store(made.folder) / "pushed.db").write_bytes(b"no database" * 100)
    assert (await said(made)).startswith("its notes cannot be read: ")
    assert pushes.lines(stage(made)) == []


async def test_one_that_comes_late_is_reported(tmp_path: Path) -> None:
    assert (await said(make(tmp_path / "a", all_but("at risk"), ("at risk",)))).startswith(
        "it came too late for: at risk"
    )
    lags = make(tmp_path / "b", {})
    lags.waiting = {"consumer": 7}
    assert (await said(lags)).startswith("it lags: 7 events wait; see ")


async def test_one_that_is_not_there_is_reported(tmp_path: Path) -> None:
    assert await said(None) == "no notifier runs here"
    made = make(tmp_path, {})
    made.problem = "it could not be started: no room"
    assert await said(made) == made.problem
    assert pushes.lines(stage(made)) == pushes.lines(stage(None)) == []


async def test_the_journey_waits_for_it_only_for_so_long_in_all(tmp_path: Path) -> None:
    made = make(tmp_path, {})
    await made.keep_up(cast(Any, Clock(2, 1, 0)))
    assert (made.waiting, 0 < made.budget < 0.1) == ({}, True)
    await made.keep_up(cast(Any, Clock(5)))
    assert (made.waiting, made.budget <= 0) == ({"consumer": 5}, True)
    await made.keep_up(cast(Any, clock := Clock(4, 3)))
    assert (made.waiting, clock.left) == ({"consumer": 4}, [3])
    assert BUDGET >= 10


async def test_where_no_stack_runs_it_says_so_and_raises_nothing(tmp_path: Path) -> None:
    async with notifier.notifying(RunFolder(tmp_path)) as made:
        assert made.problem.startswith("it could not be started: ")
        assert not made.process.running
