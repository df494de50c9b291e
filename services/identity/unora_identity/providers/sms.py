"""Text messages. Locally they go to a file that the demo and the tests read; nothing leaves the machine."""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from unora_identity.providers.machine_clock import machine_now


class SmsSender(Protocol):
    """Sends sign-in codes to phones (ID-02)."""

    async def send_code(self, to: str, code: str) -> None:
        """`to` is E.164. Raises if the message was not accepted; then the code was not sent."""
        ...


class SandboxSms:
    """Appends one JSON line {to, code, text, at} per message to a file. For local runs only: the codes are readable.

    A line is written by one write to a file that is opened for appending, so that lines of several replicas never mix,
    and in a thread, so that the event loop never waits for the disk.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = machine_now) -> None:
        """`path` is the file of UNORA_SMS_SANDBOX; `now` the machine's clock (UTC)."""
        self._path = path
        self._now = now

    async def send_code(self, to: str, code: str) -> None:
        """Returns when the line is in the file."""
        message = {"to": to, "code": code, "text": f"{code} is your Unora code.", "at": self._now().isoformat()}
        await asyncio.to_thread(_append, self._path, json.dumps(message).encode() + b"\n")


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(f"only a part of a message was written to {path}")
    finally:
        os.close(descriptor)
