"""Publishes events to the stream of a context: many at once, those of one aggregate one after the other.

An aggregate's next event is sent when the stream has acknowledged the one before. If all were sent at once and one were
lost, those behind it would come first.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import Header
from unora_sdk.again import HEADER, Again
from unora_sdk.nats_client import NatsClient, publication

from unora_common.stream_settings import MAX_EVENT
from unora_common.trace import Span
from unora_common.tracing.tracing import NOT_RECORDED, Tracing

Row: TypeAlias = asyncpg.Record
"""A row of the outbox: id, aggregate_id, subject, payload, occurred_at, trace."""
CHUNK: Final = 50
"""How many events are written before acknowledgements, and calls, get their turn."""
LINE_BREAKS: Final = str.maketrans("\r\n", "  ")


class Publisher:
    """Publishes batches, one after the other."""

    def __init__(
        self,
        context: str,
        client: NatsClient,
        silence: float,
        again: Again | None = None,
        tracing: Tracing = NOT_RECORDED,
    ) -> None:
        """After `silence` seconds without an acknowledgement, what is not acknowledged has failed. With `again` it
        publishes events that were published before.
        """
        self._source = f"/unora/{context}"
        self._client = client
        self._silence = silence
        self._again = again
        self.repeats = 0
        """How many events the stream had got by the same message id just before, and dropped."""
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._number = 0
        self._sent: dict[str, Row] = {}
        """Events without an acknowledgement, by the number in the subject of their reply."""
        self._tracing = tracing
        self._spans: dict[str, Span] = {}
        """Those of `sent` that are recorded."""
        self._behind: dict[UUID, deque[Row]] = {}
        """The next events of the aggregates of `sent`."""
        self._ready: deque[Row] = deque()
        self._done: list[UUID] = []
        self._refused: list[tuple[Row, str]] = []
        self._moved = asyncio.Event()

    async def publish(self, rows: Sequence[Row]) -> tuple[list[UUID], list[tuple[Row, str]]]:
        """Publishes rows, those of one aggregate in the order given; an aggregate stops at its first failure.

        Returns the ids of what the stream has, and what it did not acknowledge with the reason. Raises NatsError.
        """
        if self._subscription is None:
            self._inbox = f"{self._client.new_inbox()}."
            self._subscription = await self._client.subscribe_directly(f"{self._inbox}*", self._on_answer)
        self._sent, self._spans, self._behind, self._done, self._refused = {}, {}, {}, [], []
        self._ready = deque(row for row in rows if self._is_first(row))
        try:
            await self._publish_ready()
        except BaseException as error:
            self._end_spans(type(error).__name__)
            raise
        return self._done, self._refused

    async def _publish_ready(self) -> None:
        while self._ready or self._sent:
            if self._ready:
                await self._send([self._ready.popleft() for _ in range(min(CHUNK, len(self._ready)))])
                await asyncio.sleep(0)
            elif not await self._has_moved():
                self._refused += [(row, "no acknowledgement") for row in self._sent.values()]
                self._end_spans("no acknowledgement")
                self._sent = {}

    def _is_first(self, row: Row) -> bool:
        """Whether the row is the first of its aggregate; a later one is kept for its turn."""
        behind = self._behind.get(row["aggregate_id"])
        if behind is None:
            self._behind[row["aggregate_id"]] = deque()
            return True
        behind.append(row)
        return False

    async def _send(self, rows: Sequence[Row]) -> None:
        publications = []
        for row in rows:
            self._number += 1
            number, traceparent = str(self._number), row["trace"]
            if span := self._tracing.publication(row["subject"], traceparent):
                self._spans[number], traceparent = span, span.traceparent
            headers = self._headers(row, traceparent)
            if len(headers) + len(row["payload"]) > MAX_EVENT:  # the server might close the connection
                self._refused.append((row, "too large"))
                self._end_span(number, "too large")
                continue
            self._sent[number] = row
            publications.append(
                publication(self._subject(row), row["payload"], reply=f"{self._inbox}{number}", headers=headers)
            )
        await self._client.send(publications)

    def _subject(self, row: Row) -> str:
        subject: str = row["subject"]
        return self._again.subject(subject) if self._again else subject

    def _headers(self, row: Row, traceparent: str) -> bytes:
        """CloudEvents 1.0, binary mode; the message id lets the stream drop a repeat."""
        identifier, time = row["id"], row["occurred_at"].isoformat().replace("+00:00", "Z")
        message_id = self._again.message_id(identifier) if self._again else identifier
        mark = f"{HEADER}: {self._again.began}\r\n" if self._again else ""
        return (
            f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\n{mark}ce-specversion: 1.0\r\nce-id: {identifier}\r\n"
            f"ce-source: {self._source}\r\nce-type: {row['subject']}\r\nce-subject: {row['aggregate_id']}\r\n"
            f"ce-time: {time}\r\ncontent-type: application/protobuf\r\n"
            f"traceparent: {traceparent.translate(LINE_BREAKS)}\r\n\r\n"
        ).encode()

    def _on_answer(self, answer: Msg) -> None:
        number = answer.subject.removeprefix(self._inbox)
        row = self._sent.pop(number, None)
        if row is None:  # of an earlier batch, which did not wait any longer
            return
        error = _error_of(answer)
        self._end_span(number, "refused" if error else "")
        if error:
            self._refused.append((row, error))
        else:
            self._done.append(row["id"])
            self.repeats += b'"duplicate"' in answer.data
            if behind := self._behind[row["aggregate_id"]]:
                self._ready.append(behind.popleft())
        self._moved.set()

    def _end_span(self, number: str, error: str) -> None:
        if span := self._spans.pop(number, None):
            span.end(error)

    def _end_spans(self, error: str) -> None:
        for number in list(self._spans):
            self._end_span(number, error)

    async def _has_moved(self) -> bool:
        """Waits for an answer; False after too long a silence."""
        self._moved.clear()
        try:
            async with asyncio.timeout(self._silence):
                await self._moved.wait()
        except TimeoutError:
            return False
        return True


def _error_of(answer: Msg) -> str:
    """Why an event is not in the stream; empty if it is."""
    if answer.headers and (status := answer.headers.get(Header.STATUS)):
        return f"status {status}"
    if b'"error"' not in answer.data:
        return "" if answer.data else "an empty answer"
    try:
        return str(json.loads(answer.data)["error"]["description"])
    except (ValueError, KeyError, TypeError):
        return "an answer that cannot be read"
