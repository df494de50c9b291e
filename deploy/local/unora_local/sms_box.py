"""The codes that identity "sent": the sandbox's file has one JSON line for each (ID-02)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from unora_local.client import Unexpected


class SmsBox:
    """The codes that were sent since it was opened."""

    def __init__(self, file: Path, fetch: Callable[[], object] = lambda: None) -> None:
        """`fetch` brings the file up to date, where it is a copy of one in a container."""
        self._file = file
        self._fetch = fetch
        self._read = file.stat().st_size
        self._codes: dict[str, str] = {}

    def code(self, number: str) -> str:
        """The last code sent to a number."""
        self._fetch()
        with self._file.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                message = json.loads(line)
                self._codes[message["to"]] = message["code"]
        if number not in self._codes:
            raise Unexpected(f"no code was sent to {number}")
        return self._codes[number]
