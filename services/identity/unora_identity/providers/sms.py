"""Text messages. Locally they go to a file that the demo and the tests read; nothing leaves the machine.

A carrier (twilio.py) is loaded only where it is configured.
"""

import asyncio
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from unora_common.errors import Unavailable

from unora_identity.domain.deliveries import DeliveryReport
from unora_identity.providers.gov_id import SignatureInvalid
from unora_identity.providers.machine_clock import machine_now


class SmsUnavailable(Unavailable):
    """ID-02: the carrier took no message: it does not answer, has too much to do, or refuses this deployment's account.
    The code does not count, and the call can be repeated.
    """

    reason = "SMS_UNAVAILABLE"
    sentence = "The code could not be sent. Try again in a moment."

    def __init__(self, cause: str) -> None:
        """`cause` is for metrics and logs: `rate_limit`, `no_answer`, or the carrier's own number of the error."""
        self.cause = cause
        super().__init__()


class SmsSender(Protocol):
    """Sends sign-in codes to phones, and reads what the carrier tells of them (ID-02)."""

    async def send_code(self, to: str, code: str) -> str | None:
        """`to` is E.164. Returns the carrier's id of the message, or None if no carrier tells of it.

        Raises PhoneInvalid for a number that the carrier refuses, and SmsUnavailable or any other error if the message
        was not accepted; then the code was not sent.
        """
        ...

    def read_report(self, body: bytes, signature: str) -> DeliveryReport:
        """What the carrier tells of a message. Raises SignatureInvalid, or ReportUnreadable."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
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

    async def send_code(self, to: str, code: str) -> str | None:
        """Returns when the line is in the file."""
        message = {"to": to, "code": code, "text": text_of(code), "at": self._now().isoformat()}
        await asyncio.to_thread(_append, self._path, json.dumps(message).encode() + b"\n")
        return None

    def read_report(self, body: bytes, signature: str) -> DeliveryReport:
        """Always raises SignatureInvalid: nobody tells of these messages."""
        raise SignatureInvalid

    async def close(self) -> None:
        """There is nothing to close."""


def text_of(code: str) -> str:
    """What a member reads."""
    return f"{code} is your Unora code."


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(f"only a part of a message was written to {path}")
    finally:
        os.close(descriptor)
