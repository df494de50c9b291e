"""The commit that something is made from, for what must be the same whenever it is made again."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"
"""The revision of a folder that is no clone, such as an unpacked archive."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit of the clone, and the version that pyproject.toml gives to it."""

    revision: str
    """Its hash, with `-dirty` behind it if files that go into an image differ from it; or `unknown`."""
    seconds: int
    """Its time, in seconds since 1970 (UTC); 0 if it is unknown."""
    version: str

    @property
    def created(self) -> str:
        """Its time by RFC 3339, in UTC."""
        return datetime.fromtimestamp(self.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit_of(root: Path) -> Commit:
    """The commit that is checked out in a clone."""
    version = str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])
    try:
        revision, _, seconds = _git(root, "log", "-1", "--format=%H %ct").partition(" ")
        dirty = _git(root, "status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return Commit(revision=UNKNOWN, seconds=0, version=version)
    return Commit(revision=revision + ("-dirty" if dirty else ""), seconds=int(seconds), version=version)


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
