"""Passwords and keys of this machine: created once, stored in files that only their owner can read."""

import asyncio
import fcntl
import json
import os
import secrets
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from unora_common.whole_files import write_whole

ASKED_AGAIN: Final = 0.05
"""Seconds until a lock that another holds is tried again."""


def private_folder(path: Path) -> Path:
    """The folder, which only its owner may enter, whatever the umask; what is missing of it is made so, too."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    return path


def close_to_others(folder: Path) -> None:
    """Take from all others what an earlier version left open to them in the folder. What belongs to another user, such
    as that of Postgres, is left to it.
    """
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            path = os.path.join(place, name)
            found = os.lstat(path)
            if found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode) and found.st_mode & 0o077:
                os.chmod(path, stat.S_IMODE(found.st_mode) & 0o700)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read; it appears whole or not at all."""
    if not path.parent.exists():
        private_folder(path.parent)
    write_whole(path, content)


@asynccontextmanager
async def exclusive(file: Path) -> AsyncIterator[None]:
    """Only one task of all processes at a time is inside such a block; the file beside, `….lock`, stays. Other tasks go
    on while one waits, for the one that is inside may be of the same loop.
    """
    descriptor = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(descriptor):  # noqa: ASYNC110 - flock tells nobody when it is free
            await asyncio.sleep(ASKED_AGAIN)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ensure_file(path: Path, make: Callable[[], bytes]) -> Path:
    """Return `path`; if there is no such file, create it with the content that `make` returns."""
    if not path.exists():
        write_private(path, make())
    return path


def signing_key() -> bytes:
    """A new ES256 private key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Passwords:
    """Passwords by name; asking for one makes it. They are hexadecimal, so a URL holds them as they are."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, str] = json.loads(file.read_bytes()) if file.exists() else {}

    def __getitem__(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = secrets.token_hex(20)
            write_private(self._file, json.dumps(self._known, indent=1).encode() + b"\n")
        return self._known[name]
