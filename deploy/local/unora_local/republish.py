"""Publishes events of a running stack again, by the command of their context and with its configuration."""

from __future__ import annotations

import argparse
import signal
import subprocess
from types import FrameType

from unora_common.cli import EXIT_INTERRUPTED
from unora_common.config import CONTEXTS
from unora_common.event_names import UnknownEventError
from unora_common.republish_options import NotRepublishableError, Wanted, rfc3339, wanted

from unora_local.layout import Layout
from unora_local.mistakes import Mistake
from unora_local.run_folder import RunFolder
from unora_local.running import env_of
from unora_local.services import environment, module


def run(folder: RunFolder, chosen: argparse.Namespace) -> int:
    """Run the command; what it prints is seen at once, and a signal to this process ends it. Return its exit status.
    Raises Mistake for a type or a range that cannot be, and if no stack runs.
    """
    try:
        asked = wanted(chosen.context, chosen)
    except (NotRepublishableError, UnknownEventError) as error:
        raise Mistake(str(error)) from None
    env_of(folder)
    backing = Layout(folder, CONTEXTS, running=True).backing
    command = [*module(chosen.context), "republish", *_words(asked)]
    # In a session of its own: Ctrl-C would reach it before it is ready for that, and it would end with a traceback.
    child = subprocess.Popen(
        command, env=environment(chosen.context, backing), stdin=subprocess.DEVNULL, start_new_session=True
    )
    return _until_it_ends(child)


def _until_it_ends(child: subprocess.Popen[bytes]) -> int:
    """Wait for the command, and end it when this process is to end. Return its exit status."""

    def end(_: int, __: FrameType | None) -> None:
        child.terminate()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        status = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return EXIT_INTERRUPTED if status == -signal.SIGTERM else abs(status)


def _words(asked: Wanted) -> list[str]:
    given = {
        "--consumer": asked.consumer,
        "--from": asked.since and rfc3339(asked.since),
        "--to": asked.until and rfc3339(asked.until),
        "--type": asked.subject,
    }
    return [f"{option}={value}" for option, value in given.items() if value is not None]
