"""Runs a command: those of the stack are here, the tools at the keyboard in `keyboard/commands.py`.

What one command alone needs is imported in its function: a shell runs `field` for many an answer, and should not wait.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from unora_local import postgres_home
from unora_local.mistakes import Mistake
from unora_local.parser import Commands, build
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.running import check_folder
from unora_local.stopping import SIGNALS, STOPPED

if TYPE_CHECKING:
    from unora_local.up import Stack

STOPS_WITHIN: Final = 60.0


class StackMaker(Protocol):
    """Makes a stack that is not started."""

    def __call__(self, folder: RunFolder, progress: Progress, *, replicas: int) -> Stack:
        """With so many processes of each context."""


def main(arguments: list[str] | None = None, make: StackMaker | None = None) -> int:
    """Run one command and return its exit status."""
    parser, commands = build()
    chosen = parser.parse_args(arguments)
    folder = RunFolder(chosen.run)
    try:
        check_folder(folder.path)
        if chosen.command == "complete":
            return complete(folder, chosen.words, commands)
        return _run_command(folder, chosen, make)
    except (Mistake, StartFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # who reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run_command(folder: RunFolder, chosen: argparse.Namespace, make: StackMaker | None) -> int:
    of_the_stack: dict[str, Callable[[], int]] = {
        "up": lambda: up(folder, make, chosen.replicas, observe=chosen.observe),
        "down": lambda: down(folder),
        "clean": lambda: clean(folder),
        "status": lambda: status(folder),
        "make-admin": lambda: make_admin(folder, chosen.user, *(["--new-secret"] if chosen.new_secret else [])),
        "revoke-admin": lambda: revoke_admin(folder, chosen.user),
        "republish": lambda: republish(folder, chosen),
        "compose-files": lambda: compose_files(chosen.folder),
        "completion": lambda: completion(folder, chosen.shell),
        "field": lambda: field(chosen.path),
        "photos": lambda: photos(chosen.into, chosen.person),
    }
    if chosen.command in of_the_stack:
        return of_the_stack[chosen.command]()
    from unora_local.keyboard import commands  # slow to import: it knows the whole contract

    return commands.run(folder, chosen)


def up(folder: RunFolder, make: StackMaker | None = None, replicas: int = 1, *, observe: bool = False) -> int:
    """Run the stack in the foreground until a signal stops it, with so many processes of each context, and
    Prometheus if it is to be observed.
    """
    from unora_local.up import Stack, describe

    if not folder.lock.acquire():
        if folder.lock.holder() is None:
            raise Mistake("another command is stopping Unora: start it when that one has ended")
        print(f"Unora runs already{'' if folder.env.exists() else ', but is not ready yet'}.")
        print(describe(folder, folder.rows()))
        return 0
    with folder.lock:
        folder.remove_env()
        left = folder.stop_leftovers()
        progress = Progress()
        if left:
            progress.say(f"ended what an earlier run had left: {', '.join(left)}")
        return asyncio.run(_run(folder, progress, make or partial(Stack, observe=observe), replicas))


async def _run(folder: RunFolder, progress: Progress, make: StackMaker, replicas: int) -> int:
    from unora_local.up import describe

    stop = asyncio.Event()
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    begin = time.monotonic()
    progress.say("Unora starts")
    stack = make(folder, progress, replicas=replicas)
    starting = asyncio.create_task(stack.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            progress.say(f"Unora is ready after {time.monotonic() - begin:.1f} s")
            progress.say(describe(folder, folder.rows()))
            await stopping
    except (StartFailedError, TimeoutError) as error:
        progress.say(f"\nUnora could not start: {error}")
        return 1
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        progress.say("Unora stops")
        with progress.waiting("stopping"):
            await stack.stop()
    progress.say("Unora has stopped; the data stay")
    return 0


def down(folder: RunFolder) -> int:
    """Stop the stack of the folder, and what a killed supervisor has left running."""
    with Progress().waiting("Unora stops"):
        stopped = _stop(folder)
        folder.lock.release()
    print("Unora has stopped" if stopped else "Unora does not run")
    return 0


def clean(folder: RunFolder) -> int:
    """Stop, and remove all state."""
    with Progress().waiting("Unora stops, and its data are erased"):
        _stop(folder)
        postgres_home.erase_data(folder.path / "postgres")
        postgres_home.erase_copy()
        folder.erase()
        folder.lock.release()
    print("the data are erased")
    return 0


def status(folder: RunFolder) -> int:
    """Print the processes that run; exit status 0 if all is ready, else 1."""
    from unora_local.up import describe

    if not folder.path.exists() or folder.lock.holder() is None:
        print("Unora does not run")
        return 1
    ready = folder.env.exists()
    print("Unora is ready" if ready else "Unora is starting or stopping")
    print(describe(folder, folder.rows()))
    return 0 if ready else 1


def make_admin(folder: RunFolder, user: str, *options: str) -> int:
    """Make a member of the running stack an admin, by the command of identity."""
    from unora_local import admin
    from unora_local.keyboard import sessions

    return _of_identity((admin if _is_id(user) else sessions).make_admin(folder, user, *options))


def revoke_admin(folder: RunFolder, user: str) -> int:
    """Take the role away from a member of the running stack, by the command of identity."""
    from unora_local import admin
    from unora_local.keyboard import sessions

    return _of_identity((admin if _is_id(user) else sessions).revoke_admin(folder, user))


def _is_id(user: str) -> bool:
    try:
        UUID(user)
    except ValueError:
        return False
    return True


def _of_identity(command: Coroutine[Any, Any, str]) -> int:
    """Run a command of identity; print what it says."""
    from unora_local.keyboard.commands import told

    with told():
        print(asyncio.run(command))
    return 0


def republish(folder: RunFolder, chosen: argparse.Namespace) -> int:
    """Publish events of a context of the running stack again, by that context's own command."""
    from unora_local import republish

    return republish.run(folder, chosen)


def completion(folder: RunFolder, shell: str) -> int:
    """Print what a shell evaluates to have `unora`, with completion."""
    from unora_local.keyboard.completion import script

    print(script(shell, folder.path), end="")
    return 0


def complete(folder: RunFolder, words: Sequence[str], commands: Commands) -> int:
    """Print what the last word can become, one a line."""
    from unora_local.keyboard.completion import complete, sources

    print("\n".join(complete(words, commands.options(), commands.options_with_value(), sources(folder.path))))
    return 0


def field(path: str) -> int:
    """Print one field of the JSON on standard input."""
    from unora_local.keyboard.fields import pick
    from unora_local.keyboard.typed import standard_input

    print(pick(standard_input(), path))
    return 0


def photos(into: Path, person: int) -> int:
    """Write the photos of an invented person, and print their names."""
    from unora_local.members import write_photographs

    print("\n".join(map(str, write_photographs(into, person))))
    return 0


def compose_files(folder: Path) -> int:
    """Write the files that docker-compose.yml mounts; existing secrets stay."""
    from unora_common import declarations
    from unora_common.config import CONTEXTS

    from unora_local import compose_files

    check_folder(folder, mark=compose_files.KEPT)
    compose_files.write(folder, declarations.consumed_subjects(CONTEXTS))
    print(f"docker compose finds its certificates and secrets in {folder}")
    return 0


def _stop(folder: RunFolder) -> bool:
    """Stop the supervisor, take its lock, and stop all processes. Returns whether there were any."""
    if not folder.path.exists():
        return False
    holder = folder.lock.holder()
    if holder is not None:
        os.kill(holder, signal.SIGTERM)
    if not folder.lock.acquire_within(STOPS_WITHIN):
        sys.exit(f"the supervisor {holder} does not stop")
    folder.remove_env()
    return bool(folder.stop_leftovers()) or holder is not None
