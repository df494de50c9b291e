"""`python -m unora_sdk` on a real store and a real server of NATS."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta

import pytest
from unora.streak.v1.events_pb2 import CheckedIn
from unora_testing.deadlines import eventually, within

from tests.integration.sdk.platform import CONSUMER, NOON, SUBJECT, Platform, Seen, checked_in, serving

HOUR = timedelta(hours=1)


async def run(*words: str, status: int = 0, env: dict[str, str] | None = None) -> str:
    """What a command prints; it ends with this status."""
    command = (sys.executable, "-m", "unora_sdk", *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=os.environ | (env or {}))
    output, errors = await within(process.communicate())
    assert process.returncode == status, errors.decode()
    return (output + errors).decode()


async def test_dead_letters_are_listed_retried_and_dropped(platform: Platform, seen: Seen) -> None:
    one, other = await platform.publish(checked_in(1), checked_in(2))
    where, fixed = ("--store", f"sqlite:///{seen.path}"), asyncio.Event()
    subscriber = platform.subscriber(seen.store, tries=1)

    @subscriber.on(CheckedIn)
    async def handle(event: object, transaction: object) -> None:
        if not fixed.is_set():
            raise ValueError("broken")

    async with serving(subscriber):
        await platform.until_done()
        listed = [json.loads(line) for line in (await run("dead-letters", "list", *where)).splitlines()]
        assert {each["key"] for each in listed} == {f"{CONSUMER}/{one}", f"{CONSUMER}/{other}"}
        assert (listed[0]["consumer"], listed[0]["event"]) == (CONSUMER, SUBJECT)
        assert listed[0]["error"] == "ValueError: broken"
        assert "there is no dead letter x" in await run("dead-letters", "retry", "x", *where, status=1)
        assert "by --all" in await run("dead-letters", "drop", *where, status=1)
        assert await run("dead-letters", "drop", f"{CONSUMER}/{other}", *where) == "dropped: 1\n"
        fixed.set()
        await run("dead-letters", "retry", "--all", *where)
        await eventually(lambda: _none_left(seen), "it is applied")
    assert await run("dead-letters", "list", *where) == ""


async def _none_left(seen: Seen) -> bool:
    return not await seen.store.dead_letters()


async def test_a_replay_from_the_shell_reaches_the_subscriber_that_runs(platform: Platform, seen: Seen) -> None:
    old, new = await platform.publish(checked_in(1), checked_in(2, after=2 * HOUR))
    subscriber, where = platform.subscriber(seen.store), ("--store", f"sqlite:///{seen.path}")
    heard = list[object]()
    subscriber.on(CheckedIn)(lambda event, _: heard.append(event.id))
    since, env = (NOON + HOUR).isoformat(), platform.environment()
    async with serving(subscriber):
        await platform.until_done()
        said = await run("replay", "--from", since, *where, env=env)
        assert said == f"from {since} on, events are applied again by {CONSUMER}\n"
        await eventually(lambda: len(heard) == 3, "the new one is applied again")
        await platform.until_done()
    assert sorted(map(str, heard)) == sorted(map(str, [old, new, new]))


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("replay", "--from", "yesterday", "--store", "sqlite:///x"), 2, "is no time with a zone"),
        (("replay", "--from", "2026-03-01T12:00:00", "--store", "sqlite:///x"), 2, "is no time with a zone"),
        (("dead-letters", "list", "--store", "mysql://x"), 1, "begins neither with sqlite:/// nor"),
        (("dead-letters", "list", "--store", "sqlite:///none.db"), 1, "there is no file none.db"),
        (("dead-letters", "list", "--store", f"sqlite:///{__file__}"), 1, "is no file of SQLite"),
        (("dead-letters", "list", "--store", "postgresql://x@127.0.0.1:1/x"), 1, "Postgres cannot be reached"),
        (("dead-letters", "list", "--store", "postgresql://x/x", "--schema", "A"), 1, "no name for a schema"),
        (("dead-letters", "list"), 2, "--store"),
        ((), 2, "COMMAND"),
        (("--help",), 0, "dead-letters"),
    ],
)
async def test_a_mistake_is_told_in_a_sentence(words: tuple[str, ...], status: int, says: str) -> None:
    said = await run(*words, status=status)
    assert says in said
    assert "Traceback" not in said


async def test_a_replay_without_the_variables_says_which_and_where_they_come_from(seen: Seen) -> None:
    words = ("replay", "--from", "2026-03-01T12:00:00Z", "--store", f"sqlite:///{seen.path}")
    assert "UNORA_NATS_URL is not set. On a stack of one machine" in await run(*words, status=1)
