"""The benchmark's client of REST reads answers however they arrive, and takes no refusal for an answer."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from unora_bench.rest import Connection, request

OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\nserver: x\r\n\r\n{"a": 1}'
REFUSED = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"


class Wire:
    """Notes what is written, and lets nothing through."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.has_a_call = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.has_a_call.set()


def connected() -> tuple[Connection, Wire]:
    connection, wire = Connection(), Wire()
    connection.connection_made(cast(Any, wire))
    return connection, wire


async def begun(connection: Connection, wire: Wire) -> asyncio.Task[str]:
    wire.has_a_call.clear()
    call = asyncio.create_task(connection.send(b"a call"))
    await wire.has_a_call.wait()
    return call


async def answered(connection: Connection, wire: Wire, *pieces: bytes) -> str:
    call = await begun(connection, wire)
    for piece in pieces:
        assert not call.done()
        connection.data_received(piece)
    return await call


@pytest.mark.parametrize("at", range(1, len(OK)))
async def test_an_answer_in_two_pieces_is_one_answer_and_the_next_call_has_its_own(at: int) -> None:
    connection, wire = connected()
    assert await answered(connection, wire, OK[:at], OK[at:]) == ""
    assert (await answered(connection, wire, REFUSED)).startswith("HTTP/1.1 404")
    assert wire.written == [b"a call", b"a call"]


async def test_an_answer_that_says_no_length_and_a_lost_connection_end_the_call() -> None:
    connection, wire = connected()
    with pytest.raises(ValueError, match="without a length"):
        await answered(connection, wire, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    call = await begun(connection, wire)
    connection.connection_lost(None)
    with pytest.raises(ConnectionError):
        await call


def test_a_request_says_how_long_its_body_is() -> None:
    head, _, body = request("POST", "/v1/x", "t", b"{}").partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n")[0] == b"POST /v1/x HTTP/1.1"
    assert b"content-length: 2" in head.split(b"\r\n")
    assert b"content-length" not in request("GET", "/v1/x", "t")
