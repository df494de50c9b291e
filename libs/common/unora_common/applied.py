"""What a consumer logs, counts and measures of the events that it applied."""

from __future__ import annotations

import time

from unora_sdk.again import HEADER
from unora_sdk.deliveries import Delivery
from unora_sdk.events import time_of

from unora_common import trace
from unora_common.common_metrics import EVENT_LAG, EVENTS_APPLIED
from unora_common.logs import applied_events
from unora_common.runtime import AnyRuntime


class Applied:
    """The applied events of one consumer."""

    def __init__(self, runtime: AnyRuntime, consumer: str) -> None:
        self._log = applied_events(runtime.log, runtime.context, consumer)
        self._count = runtime.metrics.of(EVENTS_APPLIED).labels(consumer)
        self._lag = runtime.metrics.of(EVENT_LAG).labels(consumer)

    def note(self, events: list[Delivery]) -> None:
        """Logs and counts events, and measures how late they are. Events that are published again happened long ago, so
        their lag is not measured.
        """
        self._count.inc(len(events))
        now = time.time()
        for event in events:
            headers, envelope = event.message.headers or {}, event.envelope
            lag = max(now - time_of(event).timestamp(), 0.0)
            if HEADER not in headers:
                self._lag.observe(lag)
            self._log(envelope.event_id, envelope.aggregate_id, lag, trace.shaped(headers.get(trace.HEADER, "")))
