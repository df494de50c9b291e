"""Logs are JSON lines on standard output. Only fields on the allow-list are written, so no other field can leak."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import msgspec
import structlog

ALLOWED = frozenset(
    {
        *("timestamp", "level", "event", "service", "role", "trace", "error", "exception"),
        *("method", "caller", "user_id", "code", "reason", "seconds"),
        *("consumer", "subject", "event_id", "aggregate_id", "failures", "job", "count"),
        *("address", "version", "missing", "names", "source"),
    }
)


Log = structlog.typing.FilteringBoundLogger


def _allow(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    dropped = [key for key in event if key not in ALLOWED]
    for key in dropped:
        del event[key]
    if dropped:
        event["names"] = f"not on the allow-list: {', '.join(dropped)}"
    return event


def describe(error: BaseException) -> str:
    """What may be logged of an exception: never its message, which may hold a member's text."""
    parts = [type(error).__name__]
    for name in ("reason", "sqlstate", "constraint_name", "code"):
        value = getattr(error, name, None)
        if value:
            parts.append(str(value() if callable(value) else value))
    return " ".join(parts)


def _where(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """`failure=error` becomes the error's description and the lines of its traceback."""
    error = event.pop("failure", None)
    if error is not None:
        event["error"] = describe(error)
        event["exception"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
    return event


def _render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def logger(service: str, level: str, to: TextIO | None = None) -> Log:
    """The logger of one service. It is not global: in tests several services share a process."""
    return structlog.wrap_logger(  # type: ignore[no-any-return]
        structlog.WriteLogger(to or sys.stdout),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _allow,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
        service=service,
    )
