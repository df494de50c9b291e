"""`python -m unora_notifier`: pushes until SIGINT or SIGTERM. README.md has its variables."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from unora_sdk import ConfigError, SqliteStore, Subscriber

from unora_notifier.carriers import Carrier, Console
from unora_notifier.clock import Clock
from unora_notifier.directory import Directory
from unora_notifier.fcm import BASE, Account, Fcm
from unora_notifier.kinds import KINDS
from unora_notifier.notifier import Notifier
from unora_notifier.pushed import Pushed
from unora_notifier.waiting import Waiting

ASK_AGAIN = "300"
END_WITHIN = 10.0
"""Seconds that what has waited, and is being told, gets to end."""


def carrier_of(environ: Mapping[str, str]) -> Carrier:
    """FCM if there is a service account for it, else the console. Raises ConfigError."""
    file = environ.get("UNORA_FCM_ACCOUNT")
    return Fcm(Account.read(Path(file)), environ.get("UNORA_FCM_URL", BASE)) if file else Console()


async def main(environ: Mapping[str, str], folder: Path) -> None:
    """Runs until a signal; what it keeps is in the folder. Raises ConfigError."""
    subscriber = Subscriber.from_environment(SqliteStore(folder / "events.db"))
    carrier, directory = carrier_of(environ), Directory.from_environment(environ)
    pushed, waiting = Pushed(folder / "pushed.db"), Waiting(folder / "waiting.db")
    clock, ask_again = Clock.from_environment(environ), float(environ.get("UNORA_NOTIFIER_ASK_AGAIN", ASK_AGAIN))
    notifier = Notifier(directory, [carrier], pushed, waiting, clock, ask_again)
    for kind in KINDS:
        subscriber.on(kind.event)(notifier.handler(kind))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, subscriber.stop)
    stopping = asyncio.Event()
    telling = asyncio.create_task(notifier.run(stopping))
    try:
        await subscriber.serve()
    finally:
        stopping.set()
        await asyncio.wait([telling], timeout=END_WITHIN)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        pushed.close()
        waiting.close()
        await carrier.close()
        await directory.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every message that is sent
    try:
        home = Path(os.environ.get("UNORA_NOTIFIER_FOLDER", "."))
        home.mkdir(parents=True, exist_ok=True)
        asyncio.run(main(os.environ, home))
    except ConfigError as error:
        sys.exit(f"unora_notifier: {error}")
