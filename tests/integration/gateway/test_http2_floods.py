"""Frames of HTTP/2 that cost a client little: the connection that sends too many of them ends, and no other call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from unora_local.tls import Certificate
from unora_testing.deadlines import eventually
from unora_testing.gateway import Door, gateway_of

from tests.integration.gateway import frames
from tests.integration.gateway.http2 import ACCOUNT, HEADERS, Connection, connect
from tests.integration.gateway.recorder import Recorder

MANY = 20_000
BURST = 50
"""The calls that the gateway takes from an address in a moment."""


@pytest.fixture(scope="module")
async def door(services: Recorder, certificates: Mapping[str, Certificate]) -> AsyncIterator[Door]:
    async with gateway_of(services.addresses, certificates, address_burst=str(BURST)) as made:
        yield made


def resets(connection: Connection) -> Iterator[Frame]:
    """Calls that are given up as soon as they have begun."""
    for stream in range(1, MANY, 2):
        yield connection.call(stream)
        yield RstStreamFrame(stream, error_code=8)


def endless_headers(connection: Connection) -> Iterator[Frame]:
    """Headers that never end."""
    yield HeadersFrame(1, connection.encoder.encode(HEADERS))
    for _ in range(MANY):
        yield ContinuationFrame(1, b"\x00\x01a\x01b" * 100)


def headers_that_unfold(connection: Connection) -> Iterator[Frame]:
    """Some bytes that stand for a long header many times: it is in the table of the connection."""
    long = ("x-long", "a" * 3900)
    yield connection.call(1, long)
    unfolding = connection.call(3, *[long] * 4000)
    for stream in range(3, MANY, 2):
        unfolding.stream_id = stream
        yield unfolding


def empty_data(connection: Connection) -> Iterator[Frame]:
    """A message of parts that hold nothing."""
    yield connection.call(1)
    for _ in range(MANY):
        yield DataFrame(1, b"")


def priorities(_: Connection) -> Iterator[Frame]:
    """Words on the order of streams that do not exist."""
    for stream in range(1, MANY, 2):
        yield PriorityFrame(stream, depends_on=0, stream_weight=1, exclusive=False)


def windows(connection: Connection) -> Iterator[Frame]:
    """Room for more of an answer, byte by byte."""
    yield connection.call(1)
    for _ in range(MANY):
        yield WindowUpdateFrame(1, window_increment=1)


@pytest.mark.parametrize(
    "flood",
    [resets, endless_headers, headers_that_unfold, empty_data, priorities, windows],
    ids=lambda each: each.__name__,
)
async def test_a_flood_ends_its_connection_and_no_other_call(
    door: Door, services: Recorder, flood: Callable[[Connection], Iterable[Frame]]
) -> None:
    services.seen.clear()
    async with connect(door) as connection, door.channel() as channel:
        await connection.send(flood(connection))
        await connection.ended()
        assert len(services.seen) <= BURST
        await frames.native(channel, ACCOUNT)


@pytest.mark.parametrize("frame", [PingFrame(0, b"12345678"), SettingsFrame(0)], ids=["ping", "settings"])
async def test_who_does_not_read_the_answers_is_cut_off(door: Door, frame: Frame) -> None:
    async with connect(door) as connection, door.channel() as channel:
        await connection.send_blindly(frame.serialize() * 1000)
        await connection.ended()
        await frames.native(channel, ACCOUNT)


async def test_an_answer_that_is_not_taken_is_given_up(
    services: Recorder, certificates: Mapping[str, Certificate]
) -> None:
    services.answer = b"x" * 200_000
    try:
        async with (
            gateway_of(services.addresses, certificates, longest_call_seconds="1") as door,
            connect(door, INITIAL_WINDOW_SIZE=0) as connection,
        ):
            ending = DataFrame(1, b"\0\0\0\0\0")
            ending.flags.add("END_STREAM")
            await connection.send([connection.call(1), ending])
            await eventually(lambda: services.seen, "the service was called")
            assert (await connection.reset(1)).error_code
    finally:
        services.answer = b""
