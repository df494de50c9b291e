"""The trace of the current work: a W3C traceparent that calls, events and log lines carry."""

from __future__ import annotations

import os
import re
from contextvars import ContextVar

HEADER = "traceparent"
_SHAPE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str] = ContextVar("unora_trace", default="")


def begin(parent: str = "") -> str:
    """Makes `parent` the current trace, or a new one if it is not a traceparent; returns it."""
    parent = shaped(parent)
    _current.set(parent)
    return parent


def shaped(parent: str) -> str:
    """`parent`, or a new trace if it is not a traceparent."""
    if len(parent) == 55 and _SHAPE.fullmatch(parent):
        return parent
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-01"


def current() -> str:
    """The current traceparent; a new one outside of any call or event."""
    return _current.get() or begin()
