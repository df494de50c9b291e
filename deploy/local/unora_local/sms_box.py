"""The codes that identity "sent": the sandbox's file has one JSON line for each (ID-02)."""

from __future__ import annotations

import json
from pathlib import Path

from unora_local.client import Unexpected


class SmsBox:
    """The codes that were sent since it was opened."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = file.stat().st_size
        self._codes: dict[str, str] = {}

    def code(self, number: str) -> str:
        """The last code sent to a number."""
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
