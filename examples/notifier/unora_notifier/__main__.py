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
from unora_notifier.directory import Directory
from unora_notifier.fcm import BASE, Account, Fcm
from unora_notifier.kinds import KINDS
from unora_notifier.notifier import Notifier
from unora_notifier.pushed import Pushed

ASK_AGAIN = "300"


def carrier_of(environ: Mapping[str, str]) -> Carrier:
    """FCM if there is a service account for it, else the console. Raises ConfigError."""
    file = environ.get("UNORA_FCM_ACCOUNT")
    return Fcm(Account.read(Path(file)), environ.get("UNORA_FCM_URL", BASE)) if file else Console()


async def main(environ: Mapping[str, str], folder: Path) -> None:
    """Runs until a signal; what it keeps is in the folder. Raises ConfigError."""
    subscriber = Subscriber.from_environment(SqliteStore(folder / "events.db"))
    carrier, directory, pushed = carrier_of(environ), Directory.from_environment(environ), Pushed(folder / "pushed.db")
    notifier = Notifier(directory, [carrier], pushed, float(environ.get("UNORA_NOTIFIER_ASK_AGAIN", ASK_AGAIN)))
    for kind in KINDS:
        subscriber.on(kind.event)(notifier.handler(kind))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, subscriber.stop)
    try:
        await subscriber.serve()
    finally:
        pushed.close()
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
