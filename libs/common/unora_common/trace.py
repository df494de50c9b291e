"""The trace of the current work: a W3C traceparent that calls, events and log lines carry.

If the trace is recorded (`tracing/`), the current work is a span of it, and what it does in parts are spans below.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import nullcontext
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final, Literal, Protocol, TypeAlias

HEADER: Final = "traceparent"
_SHAPE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
NO_SPAN: Final[nullcontext[None]] = nullcontext()


class Span(Protocol):
    """A part of a trace that is recorded. As a block it is the current work."""

    @property
    def traceparent(self) -> str:
        """What a call or an event that it causes carries."""

    def part(self, name: str, kind: Kind = "internal", attributes: Mapping[str, Any] | None = None) -> Span:
        """A span below this one."""

    def note(self, name: str, value: Any) -> None:
        """Sets an attribute: nothing that a member wrote or that names a member."""

    def fail(self, kind: str) -> None:
        """Marks the work as failed, with the kind of its error."""

    def end(self, error: str = "") -> None:
        """Ends a span that is no block, with the kind of the error if its work has failed."""

    def __enter__(self) -> Span: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    async def __aenter__(self) -> Span: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


_current: ContextVar[str] = ContextVar("unora_trace", default="")
_span: ContextVar[Span | None] = ContextVar("unora_span", default=None)
Entered: TypeAlias = tuple[Token[str], Token[Span | None]]


def begin(parent: str = "") -> str:
    """Makes `parent` the current trace, or a new one if it is not a traceparent; returns it. Nothing of it is recorded,
    which the flags of a new one say to whom it is passed on.
    """
    parent = shaped(parent)
    _current.set(parent)
    _span.set(None)
    return parent


def shaped(parent: str) -> str:
    """`parent`, or a new trace that is not recorded if it is not a traceparent."""
    if is_traceparent(parent):
        return parent
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-00"


def is_traceparent(text: str) -> bool:
    """Whether the text has the form of a traceparent."""
    return len(text) == 55 and _SHAPE.fullmatch(text) is not None


def current() -> str:
    """The current traceparent; a new one outside of any call or event."""
    return _current.get() or begin()


def span() -> Span | None:
    """The span of the current work; None if it is not recorded."""
    return _span.get()


def part(name: str) -> Span | nullcontext[None]:
    """A block that is a span below the current one, if that is recorded."""
    above = _span.get()
    return NO_SPAN if above is None else above.part(name)


def enter(entered: Span) -> Entered:
    """Makes a span the current work, until `leave`."""
    return _current.set(entered.traceparent), _span.set(entered)


def leave(entered: Entered) -> None:
    """Goes back to the work before."""
    _current.reset(entered[0])
    _span.reset(entered[1])
