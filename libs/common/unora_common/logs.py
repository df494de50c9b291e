"""Logs are JSON lines on standard output. Only fields on the allow-list are written, so no other field can leak.

docs/logs.md lists the fields and says which lines there are. Level and sample can change while the process runs
(`log_settings.py`).
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO
from uuid import UUID

import msgspec
import structlog

FIELDS: Final = {
    "timestamp": "when the line was written (UTC)",
    "level": "`debug`, `info`, `warning` or `error`",
    "event": "what happened, in words that stay the same",
    "service": "the context",
    "role": "the role of a process that starts: `all`, `api` or `worker`",
    "version": "the release of a process that starts",
    "address": "where a process serves calls",
    "trace": "the W3C traceparent of the work: one trace id for a call, its events and what follows",
    "method": "the full name of the method that was called",
    "caller": "the name in the caller's certificate: `gateway`, or a context",
    "user_id": "the member whose token the call carries",
    "code": "the gRPC code that the call was answered with",
    "reason": "the reason of docs/errors.md for a refusal; of other lines, which kind of it this is",
    "seconds": "how long the call took",
    "consumer": "the name of the durable consumer",
    "subject": "the subject of the event",
    "event_id": "the id of the event",
    "aggregate_id": "the id of what the line is about: an event's aggregate, a payment, a streak, an export",
    "lag": "seconds from when the event occurred until it was applied",
    "failures": "how often applying the event has failed",
    "job": "the name of the job",
    "count": "how many of what the line is about",
    "expires": "when a certificate expires that was renewed (UTC)",
    "missing": "what a process that is not ready lacks",
    "source": "where the line is from, if it is no part of the service: a library, a thread, a variable",
    "error": "the type of an exception, with its reason or SQLSTATE; never its text, which may hold a member's",
    "exception": "the lines of its traceback, as `file:line function`",
    "names": "fields that were dropped, since they are not on this list: a mistake of the code",
    "value": "the new value of a setting of the log",
}
"""The fields that a line may have, with their meanings."""
ALLOWED = frozenset(FIELDS)
LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
Log = structlog.typing.FilteringBoundLogger


class LogControl:
    """What of the lines of one process is written. It may change at any time."""

    __slots__ = ("_level", "_share", "successes")

    def __init__(self, level: str) -> None:
        self.successes = True
        """Whether any line of an answered call or an applied event is written."""
        self._level = 0
        self._share: int | None = None
        self.set_level(level)

    def set_level(self, level: str) -> None:
        """Writes lines of this level and above. Raises ValueError."""
        number = LEVELS.get(level.lower())
        if number is None:
            raise ValueError(f"it is one of {', '.join(LEVELS)}, and not {level!r}")
        self._level = number
        self.successes = number <= logging.INFO

    def set_sample(self, share: float) -> None:
        """Writes the lines of answered calls and applied events of this share of all traces. Raises ValueError."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"it is a share between 0 and 1, and not {share}")
        self._share = None if share == 1.0 else int(share * RANDOM_TRACE_IDS)

    def takes(self, level: int) -> bool:
        """Whether lines of this level are written."""
        return level >= self._level

    def samples(self, trace: str) -> bool:
        """Whether the lines of an answered call or an applied event are written. The trace id decides: so a trace has
        all these lines, in whichever process, or none.
        """
        return self.successes and (self._share is None or int(trace[RANDOM_BITS], 16) < self._share)


RANDOM_BITS: Final = slice(21, 35)
"""Of a traceparent: the last 56 bits of the trace id, which are random (W3C Trace Context, level 2). No client chooses
them: the gateway begins a new trace with each call.
"""
RANDOM_TRACE_IDS: Final = 1 << 56


class _Output(structlog.WriteLogger):
    """Where the lines go, and which of them."""

    def __init__(self, to: TextIO, control: LogControl) -> None:
        super().__init__(to)
        self.control = control


def control_of(log: Log) -> LogControl:
    """What decides which lines of a log are written."""
    return _output(log).control


def _output(log: Log) -> _Output:
    bound: Any = log.bind()  # its type does not say where it writes
    output: _Output = bound._logger
    return output


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
    """The logger of one service. It is not global: in tests several services share a process. Raises ValueError for
    what is no level.
    """
    control = LogControl(level)

    def take(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if not control.takes(LEVELS[level]):
            raise structlog.DropEvent
        return event

    return structlog.wrap_logger(  # type: ignore[no-any-return]
        _Output(to or sys.stdout, control),
        processors=[
            take,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _allow,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
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
    output, encode = _output(log), msgspec.json.Encoder().encode
    control, write = output.control, output.msg

    def line(caller: str, user_id: UUID | None, seconds: float, trace: str) -> None:
        if control.samples(trace):
            found = _AnsweredCall(service, method, caller, user_id, round(seconds, 6), trace, datetime.now(UTC))
            write(encode(found).decode())

    return line


class _AppliedEvent(msgspec.Struct):
    """The line of an event that was applied."""

    service: str
    consumer: str
    event_id: str
    aggregate_id: str
    lag: float
    trace: str
    timestamp: datetime
    event: str = "event applied"
    level: str = "info"


def applied_events(log: Log, service: str, consumer: str) -> Callable[[str, str, float, str], None]:
    """Writes a line for each event that a consumer applied: its id, its aggregate, seconds since it occurred, trace."""
    output, encode = _output(log), msgspec.json.Encoder().encode
    control, write = output.control, output.msg

    def line(event_id: str, aggregate_id: str, lag: float, trace: str) -> None:
        if control.samples(trace):
            found = _AppliedEvent(service, consumer, event_id, aggregate_id, round(lag, 6), trace, datetime.now(UTC))
            write(encode(found).decode())

    return line
