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

    def write(self, data: bytes) -> None:
        self.written.append(data)


def connected() -> tuple[Connection, Wire]:
    connection, wire = Connection(), Wire()
    connection.connection_made(cast(Any, wire))
    return connection, wire


async def answered(connection: Connection, *pieces: bytes) -> str:
    call = asyncio.ensure_future(connection.send(b"a call"))
    await asyncio.sleep(0)  # it has been written
    for piece in pieces:
        assert not call.done()
        connection.data_received(piece)
    return await call


@pytest.mark.parametrize("at", range(1, len(OK)))
async def test_an_answer_in_two_pieces_is_one_answer_and_the_next_call_has_its_own(at: int) -> None:
    connection, wire = connected()
    assert await answered(connection, OK[:at], OK[at:]) == ""
    assert (await answered(connection, REFUSED)).startswith("HTTP/1.1 404")
    assert wire.written == [b"a call", b"a call"]


async def test_an_answer_that_says_no_length_and_a_lost_connection_end_the_call() -> None:
    connection, _ = connected()
    with pytest.raises(ValueError, match="without a length"):
        await answered(connection, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    call = asyncio.ensure_future(connection.send(b"a call"))
    await asyncio.sleep(0)
    connection.connection_lost(None)
    with pytest.raises(ConnectionError):
        await call


def test_a_request_says_how_long_its_body_is() -> None:
    head, _, body = request("POST", "/v1/x", "t", b"{}").partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n")[0] == b"POST /v1/x HTTP/1.1"
    assert b"content-length: 2" in head.split(b"\r\n")
    assert b"content-length" not in request("GET", "/v1/x", "t")
