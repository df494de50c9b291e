"""The logins that seed keeps, and the codes that were sent."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from unora_local.cast import PEOPLE
from unora_local.keyboard import inbox, newcomers
from unora_local.keyboard.people import Login, People, plain
from unora_local.mistakes import Mistake
from unora_testing.deadlines import GENEROUS, within


def login(name: str) -> Login:
    return Login("", name, f"id of {name}", "+14155550123", "refresh")


def test_a_login_is_the_plain_name_and_a_number_if_another_has_it(tmp_path: Path) -> None:
    people = People(tmp_path)
    made = [people.add(login(name)).login for name in ("Sören", "Ana", "Ana", "Ana", "Soren")]
    assert made == ["soren", "ana", "ana2", "ana3", "soren2"]
    assert people.get("SÖREN").name == "Sören"
    assert people.get("Ana2").login == "ana2"
    assert stat.S_IMODE(people.file.stat().st_mode) == 0o600
    assert isinstance(json.loads(people.file.read_text()), list)


def test_an_unknown_name_suggests_who_is_near(tmp_path: Path) -> None:
    people = People(tmp_path)
    with pytest.raises(Mistake, match="`make seed` makes members"):
        people.get("ana")
    people.add(login("Ana"))
    people.add(login("Berta"))
    with pytest.raises(Mistake, match="nobody is called anna; there are ana"):
        people.get("anna")


def test_what_changes_of_a_login_keeps_its_place(tmp_path: Path) -> None:
    people = People(tmp_path)
    for name in ("Ana", "Berta"):
        people.add(login(name))
    people.put(replace(people.get("ana"), partner="berta"))
    assert [(each.login, each.partner) for each in people.all().values()] == [("ana", "berta"), ("berta", "")]


def test_commands_at_the_same_time_lose_no_login(tmp_path: Path) -> None:
    async def add() -> None:
        people = People(tmp_path)
        for _ in range(10):
            async with people.turn():
                people.add(login("Ana"))

    threads = [threading.Thread(target=asyncio.run, args=[add()]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GENEROUS)
    assert len(People(tmp_path).all()) == 40


async def test_tasks_of_one_process_wait_for_each_other_and_hold_up_nothing_else(tmp_path: Path) -> None:
    people, order = People(tmp_path), []
    inside, let_go = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with people.turn():
            inside.set()
            await let_go.wait()
            order.append("first")

    async def second() -> None:
        await inside.wait()
        let_go.set()  # the first one can only go on if waiting for the turn does not hold up the loop
        async with people.turn():
            order.append("second")

    await within(asyncio.gather(first(), second()))
    assert order == ["first", "second"]


def test_every_invented_name_has_a_login_of_plain_letters() -> None:
    assert all(plain(person.name).isascii() and plain(person.name).isalpha() for person in PEOPLE)


@pytest.mark.parametrize(("number", "couples"), [(1, 0), (2, 1), (7, 1), (8, 2), (12, 3), (40, 10)])
def test_a_quarter_of_the_newcomers_become_couples_and_at_least_two(number: int, couples: int) -> None:
    assert newcomers.couples_among(number) == couples


def test_the_inbox_shows_whole_lines_to_one_number_or_to_all(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    sent = [
        {"to": to, "code": code, "text": "", "at": "now"} for to, code in (("+1", "11"), ("+2", "22"), ("+1", "33"))
    ]
    file.write_text("".join(f"{json.dumps(each)}\n" for each in sent) + '{"to": "+1", "co')
    assert [code.code for code in inbox.codes(file)] == ["11", "22", "33"]
    assert [str(code) for code in inbox.codes(file, "+1")] == ["now  +1  11", "now  +1  33"]
    assert list(inbox.codes(file, "+3")) == []


def test_the_inbox_follows_a_line_that_is_written_in_two_parts(tmp_path: Path) -> None:
    file = tmp_path / "sms.jsonl"
    whole = json.dumps({"to": "+1", "code": "11", "text": "", "at": "now"}) + "\n"
    file.write_text(whole + whole[:10])
    found = inbox.codes(file, follow=True)
    assert next(found).code == "11"

    def finish() -> None:
        with file.open("a") as rest:
            rest.write(whole[10:].replace("11", "22"))

    timer = threading.Timer(0.2, finish)
    timer.start()
    assert [code.code for code in islice(found, 1)] == ["22"]
    timer.join()
