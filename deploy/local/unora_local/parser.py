"""The commands as one types them: their arguments, what each does, and an example of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from unora_common import republish_options
from unora_common.config import CONTEXTS

from unora_local.keyboard import typed
from unora_local.run_folder import CLONE, DEFAULT

PROGRAM: Final = "python -m unora_local"
MOST_REPLICAS: Final = 8
SHORT: Final = f"""\
In a shell of your own, where `unora` is short for `{PROGRAM}`, with completion by Tab:

  eval "$(.venv/bin/python -m unora_local completion bash)"
  unora seed
  export TOKEN=$(unora as mirabel)
  unora call GetAccount
  unora clock next-day

`unora COMMAND --help` has an example of each.
"""


class Commands:
    """The commands of a parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._parsers = parser.add_subparsers(dest="command", required=True, metavar="command")
        self.all: dict[str, argparse.ArgumentParser] = {}

    def add(self, name: str, does: str, *examples: str) -> argparse.ArgumentParser:
        """A command: what it does in a few words, and lines that one can type."""
        made = self._parsers.add_parser(
            name,
            help=does,
            description=f"{does[0].upper()}{does[1:]}.",
            epilog="\n".join(("for example:", *(f"  {PROGRAM} {example}" for example in examples))),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.all[name] = made
        return made

    def hide(self, name: str) -> argparse.ArgumentParser:
        """A command that the help does not list."""
        return self._parsers.add_parser(name, add_help=False)

    def options(self) -> dict[str, list[str]]:
        """The options of each command."""
        return {name: [*made._option_string_actions] for name, made in self.all.items()}

    def options_with_value(self) -> frozenset[str]:
        """The options, of any command or before it, that are followed by a word of their own."""
        actions = [action for made in (self._parser, *self.all.values()) for action in made._actions]
        return frozenset(name for action in actions if action.nargs != 0 for name in action.option_strings)


def build() -> tuple[argparse.ArgumentParser, Commands]:
    """The parser, and its commands."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Everything of Unora on this machine, and tools to use it by hand.",
        epilog=SHORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--run", type=Path, default=DEFAULT, help="the folder of all state: new, or made by Unora (default: .run)"
    )
    commands = Commands(made)
    _stack(commands)
    _members(commands)
    _calls(commands)
    _events(commands)
    shell = commands.add("completion", "print what gives a shell `unora`, with completion", "completion bash")
    shell.add_argument("shell", choices=("bash", "zsh"), help='eval "$(… completion bash)" in this shell')
    commands.hide("complete").add_argument("words", nargs="*")  # asked by the shell's completion
    return made, commands


def _stack(commands: Commands) -> None:
    up = commands.add(
        "up",
        "start everything, print when it is ready, run until Ctrl-C",
        *("up", "up --replicas 2", "up --observe", "--run /tmp/another up"),
    )
    up.add_argument(
        "--replicas",
        type=int,
        choices=range(1, MOST_REPLICAS + 1),
        default=1,
        metavar="N",
        help=f"how many processes each context has (1, the default, to {MOST_REPLICAS})",
    )
    up.add_argument("--observe", action="store_true", help="start Prometheus too, with the rules of deploy/observe")
    commands.add("down", "stop everything; the data stay", "down")
    commands.add("clean", "stop everything and erase the data", "clean")
    commands.add("status", "print what runs; exit status 0 if all is ready, else 1", "status")
    compose = commands.add(
        "compose-files", "write the certificates and secrets that docker-compose.yml mounts", "compose-files"
    )
    compose.add_argument(
        "--folder", type=Path, default=CLONE / ".compose", help="the folder for them (default: .compose)"
    )


def _members(commands: Commands) -> None:
    seed = commands.add(
        "seed", "make members with photos, some in the middle of a streak; again adds more", "seed", "seed 40"
    )
    seed.add_argument("number", type=int, nargs="?", metavar="N", help="how many (default: 12)")
    token = commands.add("as", "print a fresh access token of one of the people, or who there is", "as", "as mirabel")
    token.add_argument("name", nargs="?", metavar="NAME", help="TOKEN=$(… as NAME) keeps it in your shell")
    inbox = commands.add(
        "inbox", "print the codes that were sent, the newest last", "inbox -f", "inbox +14155550123", "inbox mirabel"
    )
    inbox.add_argument("number", nargs="?", metavar="NUMBER", help="to this number, or to one of the people")
    inbox.add_argument("-f", "--follow", action="store_true", help="also those to come, until Ctrl-C")
    inbox.add_argument("--code", action="store_true", help="only the newest code: code=$(… inbox NUMBER --code)")
    pictures = commands.add("photos", "write three photos of an invented person as files", "photos /tmp/pictures")
    pictures.add_argument("into", type=Path, metavar="FOLDER", help="made if it is not there")
    pictures.add_argument("--person", type=int, default=0, metavar="N", help="whose: 0, 1, 2 … (default: 0)")
    example = "6e4ab7fe-4dc0-4c5a-8a55-7a5f1f0c9a05"
    admin = commands.add(
        "make-admin",
        "make a member an admin, and show the secret of their second factor",
        "make-admin mirabel",
        f"make-admin {example}",
    )
    admin.add_argument("--new-secret", action="store_true", help="give an admin another second factor")
    no_admin = commands.add("revoke-admin", "take the role admin away from a member", "revoke-admin mirabel")
    for each in (admin, no_admin):
        each.add_argument("user", metavar="NAME", help="one of the people, or a member's id, as GetAccount answers it")


def _calls(commands: Commands) -> None:
    call = commands.add(
        "call",
        "call any method of the contract",
        "call GetAccount --as mirabel",
        'call JoinServer \'{"server_type": "friend"}\' --as mirabel',
        'call GetStandings \'{"user_ids": ["…"]}\' --caller discovery',
    )
    call.add_argument("method", metavar="METHOD", help="its name, in full or the end of it")
    call.add_argument("body", metavar="JSON", nargs="?", default="{}", help="the request; - reads it (default: {})")
    call.add_argument("--as", dest="member", metavar="NAME", help="who calls, without it TOKEN (the variable)")
    call.add_argument("--caller", metavar="CONTEXT", help="which service calls, for methods that are for services")
    call.add_argument(
        "--metadata", type=typed.metadata, action="append", default=[], metavar="KEY=VALUE", help="further metadata"
    )
    call.add_argument("--timeout", type=typed.seconds, default=30.0, metavar="SECONDS", help="(default: 30)")
    picked = commands.add(
        "field", "print one field of the JSON that comes on standard input", "field streaks.0.streak_id"
    )
    picked.add_argument("path", nargs="?", default="", metavar="PATH", help="names and numbers from 0 (default: all)")
    clock = commands.add(
        "clock",
        "show the rule clock, or move it and wait until all that is due is done",
        *(f"clock {moment}".rstrip() for moment in ("", "+6h", "next-midnight", "next-day")),
    )
    clock.add_argument("to", nargs="?", default="now", metavar="MOMENT", help="now, +1d6h30m, next-midnight, next-day")
    clock.add_argument("--zone", default="Europe/Berlin", help="whose midnight (default: Europe/Berlin, as seed's)")


def _events(commands: Commands) -> None:
    republish = commands.add(
        "republish",
        "publish events of a context again: all, or some, to all consumers or to one",
        "republish streak",
        "republish streak --consumer notifier__checked_in --from 2026-03-01T12:00:00Z",
        "republish matching --type ConnectionFormed",
    )
    republish.add_argument("context", choices=CONTEXTS, metavar="CONTEXT", help=f"one of {', '.join(CONTEXTS)}")
    republish_options.add_arguments(republish)
    tail = commands.add(
        "tail", "print events as they happen, as JSON, until Ctrl-C", "tail", "tail CheckedIn matching.ConnectionFormed"
    )
    tail.add_argument("events", nargs="*", metavar="EVENT", help="only these")
    subscriber = commands.add(
        "subscriber",
        "make a user of NATS that may consume exactly these events, or take it away",
        "subscriber notifier NudgeSent DayAtRisk",
        "subscriber notifier --remove",
    )
    subscriber.add_argument("name", metavar="NAME", help="its name: small letters, digits and -")
    subscriber.add_argument("events", nargs="*", metavar="EVENT", help="what it may consume, in place of what it might")
    subscriber.add_argument("--remove", action="store_true", help="it may consume nothing any more")
