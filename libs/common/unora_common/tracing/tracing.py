"""Where the work of a process becomes part of a trace. This class records nothing; `Recorder` does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import grpc
from unora_sdk.deliveries import Delivery

from unora_common import trace
from unora_common.trace import NO_SPAN, Span

JOB, DONE = "unora.job", "unora.done"
"""The attributes of a job's span: its name, and how much it did."""


class Tracing:
    """Traces go on by their ids, from call to event to log, and nothing is recorded."""

    interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
    """For channels to other contexts."""

    def call(self, method: str, context: grpc.aio.ServicerContext[Any, Any], parent: str) -> None:
        """Begins the work of a call with this traceparent, until the call ends."""
        trace.begin(parent)

    def application(self, consumer: str, subject: str, events: Sequence[Delivery]) -> AbstractContextManager[object]:
        """A block that applies events of a subject, in the trace of the first."""
        trace.begin(traceparent_of(events[0]))
        return NO_SPAN

    def job(self, name: str) -> AbstractContextManager[Span | None]:
        """A block that runs a job, in a trace of its own."""
        trace.begin()
        return NO_SPAN

    def publication(self, subject: str, traceparent: str) -> Span | None:
        """The span that publishes an event whose row has this traceparent; None if it is not recorded."""
        return None

    async def close(self) -> None:
        """Sends what is recorded and not sent yet, within a few seconds."""


NOT_RECORDED = Tracing()


def traceparent_of(event: Delivery) -> str:
    """What the header of an event says of its trace; it may be anything."""
    return str((event.message.headers or {}).get(trace.HEADER, ""))
