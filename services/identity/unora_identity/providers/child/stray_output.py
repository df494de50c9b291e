"""What the process that forks for pictures would print of its own errors is a line of JSON, as in the service's log. It
says the kind of an error and where it was raised, and not its text.
"""

from __future__ import annotations

import os
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType

import msgspec


def capture() -> None:
    """From now on. The processes that it forks have no output (`one_picture.py`)."""

    def on_error(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
        frames = traceback.extract_tb(trace)
        line = {
            "service": "identity",
            "source": "pictures",
            "error": kind.__name__,
            "exception": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            "timestamp": datetime.now(UTC),
            "event": "uncaught error",
            "level": "error",
        }
        os.write(2, msgspec.json.encode(line) + b"\n")

    sys.excepthook = on_error
