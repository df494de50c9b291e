"""Runs a command: those of the stack are in `stack_commands.py`, the tools at the keyboard in `keyboard/commands.py`.

What one command alone needs is imported in its function: a shell runs `field` for many an answer, and should not wait.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from unora_local.mistakes import Mistake
from unora_local.parser import Commands, build
from unora_local.process import StartFailedError
from unora_local.run_folder import RunFolder
from unora_local.running import check_folder
from unora_local.stack_commands import StackMaker, clean, down, status, up
from unora_local.stopping import EXIT_INTERRUPTED


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
        return EXIT_INTERRUPTED
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

    check_folder(folder, mark=compose_files.SECRETS_FOLDER)
    compose_files.write(folder, declarations.consumed_subjects(CONTEXTS))
    print(f"docker compose finds its certificates and secrets in {folder}")
    return 0
