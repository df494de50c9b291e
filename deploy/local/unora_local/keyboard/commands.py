"""What each tool at the keyboard does with its arguments: looks for the stack, works, prints."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
from nats.errors import Error as NatsError

from unora_local.client import Refused, Unexpected
from unora_local.env import Env
from unora_local.keyboard import call as calling
from unora_local.keyboard import inbox as boxes
from unora_local.keyboard import messages, moments, rule_clock, subscriber
from unora_local.keyboard import seed as seeding
from unora_local.keyboard import tail as tailing
from unora_local.keyboard.people import People
from unora_local.keyboard.sessions import token_of
from unora_local.keyboard.typed import standard_input
from unora_local.mistakes import Mistake
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.running import env_of


def seed(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Make members, and print their logins."""
    number = seeding.USUAL if chosen.number is None else chosen.number
    if not 1 <= number <= seeding.MAX_MEMBERS:
        raise Mistake(f"seed makes 1 to {seeding.MAX_MEMBERS} members at once")
    env, people, progress = env_of(folder), People(folder.path), Progress()
    made = asyncio.run(seeding.seed(env, people, number, progress))
    progress.say(f"\n{seeding.describe(people.all(), made)}\n")
    progress.say(f"TOKEN=$(unora as {made[0]}) gives a token; all logins are in {people.file}")


def token(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Print a token and nothing else; without a name who there is."""
    people = People(folder.path)
    if chosen.name is not None:
        print(asyncio.run(token_of(env_of(folder), people, chosen.name)))
        return
    env_of(folder)
    known = people.all()
    print(seeding.describe(known, list(known)) if known else "nobody's login is known yet; `make seed` makes members")


def inbox(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Print the codes, or the newest one alone."""
    file, number = env_of(folder).sms_sandbox, chosen.number
    if number is not None and not number.startswith("+"):
        number = People(folder.path).get(number).phone_number
    if not chosen.code:
        for code in boxes.codes(file, number, follow=chosen.follow):
            print(code, flush=True)
        return
    newest = boxes.newest(file, number)
    if newest is None:
        raise Mistake(f"no code was sent{f' to {number}' if number else ''}")
    print(newest.code)


def call(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Make one call, and print its answer."""
    asked = calling.Call(
        chosen.method,
        standard_input() if chosen.body == "-" else chosen.body,
        chosen.member,
        os.environ.get("TOKEN", ""),
        chosen.caller,
        chosen.metadata,
        chosen.timeout,
    )
    print(messages.to_json(asyncio.run(calling.call(folder, env_of(folder), asked))))


def clock(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Show the rule clock, or move it."""
    try:
        zone = ZoneInfo(chosen.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Mistake(f"{chosen.zone} is no time zone; one is Europe/Berlin") from None
    moments.target(chosen.to, datetime.now(UTC), zone)  # a mistake is told before anything is asked
    asyncio.run(_clock(env_of(folder), chosen.to, zone))


async def _clock(env: Env, to: str, zone: ZoneInfo) -> None:
    progress = Progress()
    if to == moments.NOW:
        now = await rule_clock.read(env)
    else:
        with progress.step("the clock moves, and what is due is done"):
            now = await rule_clock.move(env, to, zone)
    ahead = max(now - datetime.now(UTC), timedelta(0))
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC, {now.astimezone(zone):%a %H:%M} in {zone}"
    progress.say(f"{shown}; {_words(ahead)} ahead of this machine")


def tail(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Print events until Ctrl-C."""
    tailing.subjects(chosen.events)

    def ready() -> None:
        print("events from now on; Ctrl-C ends this", file=sys.stderr, flush=True)

    asyncio.run(tailing.tail(env_of(folder), chosen.events, lambda line: print(line, flush=True), ready))


def subscribe(folder: RunFolder, chosen: argparse.Namespace) -> None:
    """Make, change or remove a subscriber."""
    if bool(chosen.events) == chosen.remove:
        raise Mistake("name the events that it may consume, or say --remove")
    env_of(folder)
    with Progress(sys.stderr).waiting("NATS takes it over"):
        said = asyncio.run(subscriber.subscribe(folder, chosen.name, chosen.events))
    print(said)


COMMANDS: Final[dict[str, Callable[[RunFolder, argparse.Namespace], None]]] = {
    "seed": seed,
    "as": token,
    "inbox": inbox,
    "call": call,
    "clock": clock,
    "tail": tail,
    "subscriber": subscribe,
}


def run(folder: RunFolder, chosen: argparse.Namespace) -> int:
    """Run one of them; the exit status. Raises Mistake."""
    with told():
        COMMANDS[chosen.command](folder, chosen)
    return 0


@contextmanager
def told() -> Iterator[None]:
    """Raises Mistake, in words, for what the stack refuses or does not answer."""
    try:
        yield
    except Refused as error:
        raise Mistake(calling.explain(error)) from None
    except (Mistake, BrokenPipeError):
        raise
    except (OSError, NatsError, asyncpg.PostgresError, asyncpg.InterfaceError, Unexpected) as error:
        raise Mistake(f"the stack does not answer as it should: {error}") from None


def _words(ahead: timedelta) -> str:
    hours, minutes = divmod(round(ahead.total_seconds() / 60), 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h {minutes} min"
