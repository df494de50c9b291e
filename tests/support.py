"""Shared by tests of several contexts: refusals, races, and pairs of connected members."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import grpc
import httpx
import pytest
from unora.billing.v1.billing_service_pb2 import Confirmation
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER, ServerType
from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora_common.grpc_errors import read_details
from unora_common.ids import uuid7
from unora_testing.testbed import POOLER
from unora_testing.world import Caller, World

T = TypeVar("T")
own_sessions = pytest.mark.skipif(
    os.environ.get(POOLER) == "pgbouncer",
    reason="the test itself keeps something in a session of Postgres, which a pooler gives to others",
)


@dataclass(frozen=True)
class Refusal:
    """An error as a client reads it."""

    code: str
    reason: str
    domain: str
    metadata: dict[str, str]
    violations: dict[str, str]
    sentence: str


async def refusal(call: Awaitable[Any]) -> Refusal:
    """Await a call that must be refused; return the refusal."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error)
    raise AssertionError(f"the call was answered, it should have been refused: {answer}")


def read_refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """The rich status of an error."""
    info, bad, said = read_details(error)
    violations = {violation.field: violation.description for violation in bad.field_violations}
    return Refusal(error.code().name, info.reason, info.domain, dict(info.metadata), violations, said.message)


def plain_http(url: str, **options: Any) -> httpx.AsyncClient:
    """A client for `http://`. A usual one first reads all authorities that browsers trust, for 30 ms each time."""
    return httpx.AsyncClient(base_url=url, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **options)


async def confirm(provider_url: str, confirmation: Confirmation, card: str = "pm_card_visa") -> int:
    """Confirms a payment at the stand-in of the payment provider, as the member's app does; returns the HTTP status."""
    form = {"payment_method": card, "client_secret": confirmation.client_secret}
    async with plain_http(provider_url) as client:
        path = f"/v1/payment_intents/{confirmation.provider_payment_id}/confirm"
        return (await client.post(path, data=form)).status_code


def request_id() -> str:
    """A new request id."""
    return str(uuid7())


@dataclass(frozen=True)
class Pair:
    """Two signed-in members and their connection, which matching has announced; a is the lower id."""

    connection_id: str
    a: Caller
    b: Caller
    server_type: ServerType.ValueType


def new_pair(world: World, server_type: ServerType.ValueType = SERVER_TYPE_PARTNER) -> Pair:
    """Two members and an id for their connection, which is not announced yet."""
    a, b = sorted((world.caller(), world.caller()), key=lambda caller: caller.user)
    return Pair(str(uuid7()), a, b, server_type)


async def announce(world: World, pair: Pair) -> None:
    """Publish the event by which other contexts learn of a connection."""
    event = ConnectionFormed(
        connection_id=pair.connection_id,
        version=1,
        user_a_id=pair.a.id,
        user_b_id=pair.b.id,
        server_type=pair.server_type,
    )
    event.occurred_at.FromDatetime(await world.now())
    await world.publish(event)


async def connect(world: World, server_type: ServerType.ValueType = SERVER_TYPE_PARTNER) -> Pair:
    """A new pair whose connection the other contexts know, by the event alone."""
    pair = new_pair(world, server_type)
    await announce(world, pair)
    return pair


async def disconnect(world: World, pair: Pair, by: Caller) -> None:
    """Publish the event by which other contexts learn that a connection has ended."""
    event = ConnectionEnded(
        connection_id=pair.connection_id,
        version=2,
        user_a_id=pair.a.id,
        user_b_id=pair.b.id,
        server_type=pair.server_type,
        ended_by_id=by.id,
    )
    event.occurred_at.FromDatetime(await world.now())
    await world.publish(event)


def as_uuid(text: str) -> UUID:
    """An id from a message."""
    return UUID(text)


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Runs work in a loop of its own, from a test that is no coroutine because hypothesis calls it again and again.

    `asyncio.run` would leave the process without a current loop, and so the fixtures of whatever test comes next.
    """
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)


async def race(turn: int, work: Sequence[Awaitable[T]]) -> list[T]:
    """Runs two pieces of work at the same time, and starts them in another order at each turn.

    The first two turns run them one after the other, so that each order occurs on every machine: a test may require
    both outcomes of the race. The results come in the order of `work`.
    """
    ordered = work if turn % 2 else work[::-1]
    results = [await each for each in ordered] if turn < 2 else list(await asyncio.gather(*ordered))
    return results if turn % 2 else results[::-1]
