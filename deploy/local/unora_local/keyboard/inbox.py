"""The codes that identity "sent": nothing leaves the machine, a file has them."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

POLL: Final = 0.1
"""Seconds between two looks at the file, which tells nobody that it has grown: a person notices no delay."""


@dataclass(frozen=True)
class Code:
    """One message."""

    at: str
    number: str
    code: str

    def __str__(self) -> str:
        return f"{self.at}  {self.number}  {self.code}"


def newest(file: Path, number: str | None = None) -> Code | None:
    """The last one, to one number or to all; None if there was none."""
    return next(iter(deque(codes(file, number), maxlen=1)), None)


def codes(file: Path, number: str | None = None, *, follow: bool = False) -> Iterator[Code]:
    """The codes, to one number or to all, the newest last; with `follow` also those to come, without an end."""
    with file.open("rb") as lines:
        begun = b""
        while True:
            begun += lines.readline()
            if begun.endswith(b"\n"):
                sent = json.loads(begun)
                begun = b""
                if number in (None, sent["to"]):
                    yield Code(sent["at"], sent["to"], sent["code"])
            elif follow:
                time.sleep(POLL)
            else:
                return
