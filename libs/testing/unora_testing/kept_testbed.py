"""The servers that tests need, kept for many test runs: `make testbed` starts them and keeps them until Ctrl-C.

A test run uses them if they fit the code and no other run uses them; otherwise the run starts its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
from unora_local import postgres_home
from unora_local.keys import write_private
from unora_local.run_folder import CLONE, Lock

from unora_testing.testbed import POOLER, SPLIT, Servers, Testbed

FOLDER: Final = CLONE / ".run" / "testbed"
SHAPE: Final = (
    "services/*/unora_*/migrations/*.py",
    "services/*/unora_*/consumers/**/*.py",
    "libs/common/unora_common/messaging_schema.py",
    "libs/common/unora_common/provision.py",
    "libs/common/unora_common/streams.py",
    "deploy/local/unora_local/nats_config.py",
    "deploy/local/unora_local/tls.py",
    "libs/testing/unora_testing/testbed.py",
)
"""The files that decide what the servers hold: schemas, roles, streams, and permissions to read events."""


@dataclass(frozen=True)
class KeptTestbed:
    """The content of the file that describes a kept testbed."""

    testbed: Testbed
    fingerprint: str
    accounts: tuple[str, ...]


def fingerprint() -> str:
    """A digest of the files that decide what the servers of a testbed hold."""
    digest = hashlib.sha256()
    for file in sorted(file for pattern in SHAPE for file in CLONE.glob(pattern)):
        digest.update(f"{file.relative_to(CLONE)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class Borrowing:
    """Borrows the kept testbed for one test run, if that is possible."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._lock = Lock(folder / "user.lock")
        self.refusal = ""
        """Why the run does not use the kept testbed that is there; empty if there is none."""

    def take(self, accounts: Sequence[str]) -> Testbed | None:
        """The kept testbed if it runs, fits the code, has these NATS accounts, and is free."""
        file = self._folder / "testbed.json"
        if not file.exists() or Lock(self._folder / "keeper.lock").holder() is None:
            return None
        kept = msgspec.json.decode(file.read_bytes(), type=KeptTestbed)
        if os.environ.get(SPLIT) or os.environ.get(POOLER):
            self.refusal = f"{SPLIT} or {POOLER} asks for other servers"
        elif kept.fingerprint != fingerprint():
            self.refusal = "migrations, consumers or the testbed itself changed since it started: restart it"
        elif not set(accounts) <= set(kept.accounts):
            self.refusal = "it was started for fewer workers: restart it"
        elif not self._lock.acquire():
            self.refusal = "another test run uses it"
        else:
            return kept.testbed
        return None

    def give_back(self) -> None:
        """Make the testbed available to another run."""
        self._lock.release()


async def keep(folder: Path, accounts: Sequence[str]) -> int:
    """Start the servers and keep them until a signal comes. Return the exit status."""
    lock = Lock(folder / "keeper.lock")
    if not lock.acquire():
        print("A testbed runs already; test runs use it.")
        return 0
    file = folder / "testbed.json"
    erase_leftovers(file)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    servers = Servers(accounts)
    with lock, contextlib.ExitStack() as stack:
        print("the testbed starts", flush=True)
        try:
            starting, stopping = asyncio.create_task(servers.start()), asyncio.create_task(stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                kept = KeptTestbed(starting.result(), fingerprint(), tuple(accounts))
                write_private(file, msgspec.json.encode(asdict(kept)))
                stack.callback(file.unlink, missing_ok=True)
                print("the testbed is ready: test runs use it until Ctrl-C", flush=True)
                await stopping
            starting.cancel()
            stopping.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
        finally:
            await servers.stop()
    print("the testbed has stopped")
    return 0


def erase_leftovers(file: Path) -> None:
    """Remove the data of a testbed whose keeper was killed; its servers have ended with the keeper."""
    if file.exists():
        with contextlib.suppress(msgspec.MsgspecError):  # an older version wrote other fields
            folder = Path(msgspec.json.decode(file.read_bytes(), type=KeptTestbed).testbed.folder)
            postgres_home.erase_data(folder / "postgres")
            shutil.rmtree(folder, ignore_errors=True)
        file.unlink()


def accounts_of(workers: int) -> list[str]:
    """The NATS accounts of a run: those of the first process, and those of this many workers."""
    names = ["main", *(f"gw{number}" for number in range(workers))]
    bare = [f"{name}_bare" for name in names]  # for tests/integration/common
    return [*names, *bare, "story", "canary", "erasure"]  # for tests/integration/testing and /protection


def main(arguments: list[str] | None = None) -> int:
    """Keep a testbed in the foreground. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m unora_testing.kept_testbed", description=__doc__)
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many workers a test run that uses it may have (default: one for each core)",
    )
    options = parser.parse_args(arguments)
    return asyncio.run(keep(FOLDER, accounts_of(options.workers)))


if __name__ == "__main__":
    sys.exit(main())
