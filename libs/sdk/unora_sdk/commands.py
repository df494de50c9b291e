"""`python -m unora_sdk`: dead letters, and events once more."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from nats.errors import Error as NatsError

from unora_sdk.connecting import Connection
from unora_sdk.environment import ConfigError
from unora_sdk.replaying import replay
from unora_sdk.settings import Settings
from unora_sdk.sqlite_store import SqliteStore
from unora_sdk.stores import LetterName, Store, StoreAwayError
from unora_sdk.times import read_time

SQLITE: Final = "sqlite:///"
POSTGRES: Final = ("postgresql://", "postgres://")


class Mistake(Exception):
    """What was asked cannot be done; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 1 for what could not be done, 2 for what was not understood."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
        sys.stdout.flush()
    except (Mistake, ConfigError, StoreAwayError) as error:
        print(f"unora_sdk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who reads the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (NatsError, OSError) as error:
        print(f"unora_sdk: NATS does not do it: {error or type(error).__name__}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store",
        required=True,
        metavar="URL",
        help="the subscriber's store: sqlite:///events.db (sqlite:////var/… from the root) or postgresql://user@host/db",
    )
    common.add_argument("--schema", default="unora_sdk", help="the store's schema in Postgres (default: unora_sdk)")
    parser = argparse.ArgumentParser(prog="python -m unora_sdk", description="For a subscriber to Unora's events.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    letters = commands.add_parser("dead-letters", help="events that could not be applied")
    what = letters.add_subparsers(required=True, metavar="list|retry|drop", dest="what")
    listing = what.add_parser("list", parents=[common], help="print one line of JSON for each, the oldest first")
    listing.set_defaults(run=_list)
    for name, run, does in (
        ("retry", _retry, "let the subscriber try them once more, now or when it runs"),
        ("drop", _drop, "delete them"),
    ):
        chosen = what.add_parser(name, parents=[common], help=does)
        chosen.add_argument("keys", nargs="*", metavar="KEY", help="their keys, as `list` shows them: CONSUMER/KEY")
        chosen.add_argument("--all", action="store_true", help="all of them")
        chosen.set_defaults(run=run)
    again = commands.add_parser(
        "replay",
        parents=[common],
        help="let the subscriber apply events again",
        description="Events from a time on are applied again, as far as the streams hold them (7 days). Needs the "
        "variables of the subscriber: set -a; . .run/subscribers/NAME.env; set +a",
    )
    again.add_argument("--from", dest="since", required=True, type=_time, metavar="TIME", help="2026-03-01T12:00:00Z")
    again.add_argument(
        "--consumer", action="append", default=[], help="only this one of its consumers; may be repeated"
    )
    again.set_defaults(run=_replay)
    return parser


def _time(text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time with a zone, such as 2026-03-01T12:00:00Z") from None


def store_of(url: str, schema: str) -> Store[Any]:
    """The store at an address. Raises Mistake."""
    if url.startswith(SQLITE):
        path = Path(url.removeprefix(SQLITE))
        if not path.is_file():
            raise Mistake(f"there is no file {path}; the subscriber makes it when it first runs")
        return SqliteStore(path)
    if not url.startswith(POSTGRES):
        raise Mistake(f"--store {url!r} begins neither with {SQLITE} nor with {POSTGRES[0]}")
    try:
        from unora_sdk.postgres_store import PostgresStore
    except ImportError:
        raise Mistake("a store in Postgres needs asyncpg: pip install 'unora-sdk[postgres]'") from None
    try:
        return PostgresStore(url, schema, connections=1)
    except ValueError as error:
        raise Mistake(str(error)) from None


async def _run(options: argparse.Namespace) -> None:
    store = store_of(options.store, options.schema)
    await store.open()
    try:
        await options.run(store, options)
    finally:
        await store.close()


async def _list(store: Store[Any], options: argparse.Namespace) -> None:
    for letter in await store.dead_letters():
        shown = {
            "key": str(letter.name),
            "consumer": letter.consumer,
            "event": letter.subject,
            "failed_at": letter.failed_at.isoformat(),
            "error": letter.error,
        }
        print(json.dumps(shown, ensure_ascii=False))


async def _retry(store: Store[Any], options: argparse.Namespace) -> None:
    count = await store.retry(await _letters(store, options))
    print(f"to be tried once more: {count}; the subscriber does it within seconds, or when it runs")


async def _drop(store: Store[Any], options: argparse.Namespace) -> None:
    print(f"dropped: {await store.drop(await _letters(store, options))}")


async def _letters(store: Store[Any], options: argparse.Namespace) -> list[LetterName]:
    known = {str(letter.name): letter.name for letter in await store.dead_letters()}
    if options.all == bool(options.keys):
        raise Mistake("name the dead letters by their keys, or all of them by --all")
    if unknown := [key for key in options.keys if key not in known]:
        raise Mistake(f"there is no dead letter {', '.join(unknown)}; `dead-letters list` shows all")
    return [known[key] for key in (known if options.all else options.keys)]


async def _replay(store: Store[Any], options: argparse.Namespace) -> None:
    settings = Settings.from_environment()
    chosen = [each for each in settings.consumers if not options.consumer or each.name in options.consumer]
    if unknown := set(options.consumer) - {each.name for each in chosen}:
        raise Mistake(f"UNORA_NATS_CONSUMERS has no {', '.join(sorted(unknown))}")
    connection = Connection(settings)
    await connection.open_once()
    try:
        await replay(connection.client, store, chosen, options.since)
    finally:
        await connection.close()
    names = ", ".join(each.name for each in chosen)
    print(f"from {options.since.isoformat()} on, events are applied again by {names}")
