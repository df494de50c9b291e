"""The certificate of a process, read again when its files are replaced: it is renewed while the process runs."""

from __future__ import annotations

import logging
import math
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unora_sdk.environment import ConfigError

Stamp = tuple[tuple[int, int, int, int] | None, ...]
"""Which files there are: a file that is replaced has another one."""
VARIABLES: Final = "UNORA_TLS_CA, UNORA_TLS_CERT or UNORA_TLS_KEY"
WRITTEN_WITHIN: Final = 1.0
"""Seconds within which all three files are written."""
log = logging.getLogger("unora_sdk")


@dataclass(frozen=True)
class Loaded:
    """An authority, a certificate and its key that were read together. All are PEM."""

    ca: bytes
    """One authority, or more while it is replaced."""
    cert: bytes
    key: bytes
    context: ssl.SSLContext
    """What a client needs to speak TLS 1.3 with this certificate."""


def _require_nothing(_: Loaded) -> None:
    """Takes everything that TLS takes."""


def _ignore(_: Loaded) -> None:
    """Says nothing of a new certificate."""


def _warn(error: Exception) -> None:
    log.warning("the new files of %s are not used, and the old ones are: %s", VARIABLES, error)


class Certificates:
    """The newest certificate that can be used. New files that cannot be used, such as a key of another certificate,
    change nothing.
    """

    def __init__(
        self,
        ca: Path,
        cert: Path,
        key: Path,
        *,
        check: Callable[[Loaded], None] = _require_nothing,
        taken: Callable[[Loaded], None] = _ignore,
        refused: Callable[[Exception], None] = _warn,
    ) -> None:
        """`check` raises ValueError for files that are not to be used; `taken` is told of new ones that are, and
        `refused`, once, of new ones that are not. Raises ConfigError if the files cannot be used now.
        """
        self._ca, self._cert, self._key = ca, cert, key
        self._check, self._taken, self._refused = check, taken, refused
        self._failed: Stamp = ()
        self._tell_at = math.inf
        """When they are told of if they are still the same."""
        try:
            self._stamp, self.current = self._read()
        except (OSError, ValueError) as error:  # also ssl.SSLError
            raise ConfigError(f"{VARIABLES} cannot be used: {error}") from None

    def refresh(self) -> Loaded:
        """The newest certificate: reads the files if they were replaced. It looks at three files, so it may be called
        often.
        """
        if (stamp := self._look()) == self._stamp:
            self._failed = ()
            return self.current
        try:
            self._stamp, self.current = self._read()
        except (OSError, ValueError) as error:
            self._note(stamp, error)
        else:
            self._failed = ()
            self._taken(self.current)
        return self.current

    def _note(self, failed: Stamp, error: Exception) -> None:
        """Tells once of files that go on failing: at first, somebody may be writing one after the other. It goes by
        time, since there may be many looks at one moment, such as one for each call.
        """
        now = time.monotonic()
        if failed != self._failed:
            self._failed, self._tell_at = failed, now + WRITTEN_WITHIN
        elif now >= self._tell_at:
            self._tell_at = math.inf
            self._refused(error)

    def _look(self) -> Stamp:
        return tuple(map(_stamp, (self._ca, self._cert, self._key)))

    def _read(self) -> tuple[Stamp, Loaded]:
        """All files as they were at one moment: Kubernetes may put others in their place while they are read."""
        before = self._look()
        while True:
            try:
                loaded: Loaded | Exception = self._load()
            except (OSError, ValueError) as error:
                loaded = error
            if (after := self._look()) == before:
                break
            before = after
        if isinstance(loaded, Exception):
            raise loaded
        return after, loaded

    def _load(self) -> Loaded:
        context = ssl.create_default_context(cafile=str(self._ca))
        context.load_cert_chain(self._cert, self._key)  # raises if the key is of another certificate
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        loaded = Loaded(self._ca.read_bytes(), self._cert.read_bytes(), self._key.read_bytes(), context)
        self._check(loaded)
        return loaded


def _stamp(file: Path) -> tuple[int, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
