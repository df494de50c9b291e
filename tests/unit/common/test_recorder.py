"""Spans of what does not come to its end: a call whose caller is cancelled, an event that cannot be sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from nats.errors import ConnectionClosedError
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from unora_common import trace
from unora_common.ids import uuid7
from unora_common.publisher import Publisher
from unora_common.tracing.recorder import Recorder
from unora_testing.deadlines import within


class Waiting:
    """A peer that answers nothing until the call is cancelled."""

    def __init__(self) -> None:
        self.began, self.cancelled = asyncio.Event(), asyncio.Event()

    async def wait(self, request: Empty, context: grpc.aio.ServicerContext[Empty, Empty]) -> Empty:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return Empty()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def recorder(spans: InMemorySpanExporter) -> Recorder:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer: Any = provider.get_tracer("test")
    return Recorder(tracer, lambda: asyncio.sleep(0))


@asynccontextmanager
async def method_of(peer: Waiting, recorder: Recorder) -> AsyncIterator[grpc.aio.UnaryUnaryMultiCallable[Empty, Empty]]:
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(peer.wait, Empty.FromString, Empty.SerializeToString)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Peer", {"Wait": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", interceptors=recorder.interceptors) as channel:
        yield channel.unary_unary("/test.Peer/Wait", Empty.SerializeToString, Empty.FromString)
    await server.stop(None)


async def test_a_call_ends_at_the_peer_when_its_caller_is_cancelled(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    peer = Waiting()
    async with method_of(peer, recorder) as method:

        async def work() -> None:
            with recorder.job("any"):
                assert trace.span()
                await method(Empty(), timeout=600)

        caller = asyncio.create_task(work())
        await within(peer.began.wait())
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await within(peer.cancelled.wait())
    call = spans.get_finished_spans()[0]
    assert call.attributes
    assert (call.name, call.attributes["error.type"]) == ("test.Peer/Wait", "CancelledError")


class Closed:
    """A connection to NATS that is closed when something is sent."""

    def new_inbox(self) -> str:
        return "_INBOX"

    async def subscribe_directly(self, *_: object) -> None:
        return None

    async def send(self, publications: object) -> None:
        raise ConnectionClosedError


async def test_the_span_of_an_event_that_cannot_be_sent_ends_with_the_error(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    client: Any = Closed()
    row: Any = {
        "id": uuid7(),
        "aggregate_id": uuid7(),
        "subject": "unora.streak.v1.checked_in",
        "payload": b"",
        "occurred_at": datetime.now(UTC),
        "trace": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    with pytest.raises(ConnectionClosedError):
        await Publisher("streak", client, 1.0, tracing=recorder).publish([row])
    (published,) = spans.get_finished_spans()
    assert published.attributes
    assert published.attributes["error.type"] == "ConnectionClosedError"
