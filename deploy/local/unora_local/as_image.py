"""Runs a service with the packages of its image: `python -m unora_local.as_image unora_streak --role api`.

The environment of development holds more, and libraries load some of it if they find it: nats-py loads aiohttp, and
structlog and httpx load rich. That is 11 MB in each process, which no process of the image has.
"""

from __future__ import annotations

import runpy
import sys
from typing import Final

NOT_IN_IMAGE: Final = ("aiohttp", "click", "grpc_tools", "rich")
"""What libraries of the image load if it is there. A test says what is missing here."""


def hide() -> None:
    """Makes imports of these packages fail in this process, as in the image."""
    for name in NOT_IN_IMAGE:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say so


if __name__ == "__main__":
    hide()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
