"""Logs are JSON lines on standard output. Only fields on the allow-list are written, so no other field can leak."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO
from uuid import UUID

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


class _AnsweredCall(msgspec.Struct):
    """The line of a call that was answered, with the fields and in the order that the logger would write."""

    service: str
    method: str
    caller: str
    user_id: UUID | None
    seconds: float
    trace: str
    timestamp: datetime
    code: str = "OK"
    event: str = "call"
    level: str = "info"


def answered_calls(log: Log, service: str, method: str) -> Callable[[str, UUID | None, float, str], None]:
    """Writes a line for each answered call of a method: caller, member, seconds, trace.

    Each call writes this line, and its fields are known, so it does without the steps of the logger.
    """
    bound: Any = log.bind()  # its type does not say where it writes
    if not bound.is_enabled_for(logging.INFO):
        return lambda caller, user_id, seconds, trace: None
    write = bound._logger.msg
    encode = msgspec.json.Encoder().encode

    def line(caller: str, user_id: UUID | None, seconds: float, trace: str) -> None:
        found = _AnsweredCall(service, method, caller, user_id, round(seconds, 6), trace, datetime.now(UTC))
        write(encode(found).decode())

    return line
