"""Calls as bytes: gRPC by a channel, gRPC-Web by hand over HTTP/1.1, and HTTP as no client would send it."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from unora_testing.deadlines import within

KIND = "application/grpc-web+proto"
_CODES = {code.value[0]: code for code in StatusCode}


@dataclass
class Answer:
    """What a gRPC-Web client understands of an answer."""

    code: StatusCode
    message: bytes
    reason: str
    """Of the ErrorInfo in its details, if there is one."""
    metadata: dict[str, str]


async def native(channel: grpc.aio.Channel, path: str, **options: Any) -> None:
    """Calls any method of gRPC with an empty message. Raises AioRpcError."""
    method: Any = channel.unary_unary(path)
    await method(b"", **options)


async def call(
    client: httpx.AsyncClient, path: str, message: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    frame = b"\x00" + len(message).to_bytes(4, "big") + message
    given = {"content-type": KIND, "x-grpc-web": "1"} | (headers or {})
    answer = await client.post(path, content=frame, headers=given)
    assert answer.status_code == 200, answer.text
    return read(answer)


def read(answer: httpx.Response) -> Answer:
    message, trailers = b"", dict(answer.headers)
    rest = answer.content
    while rest:
        kind, size = rest[0], int.from_bytes(rest[1:5], "big")
        part, rest = rest[5 : 5 + size], rest[5 + size :]
        if kind & 0x80:
            lines = (line.partition(":") for line in part.decode().split("\r\n") if line)
            trailers |= {name.strip().lower(): value.strip() for name, _, value in lines}
        else:
            message = part
    info = error_details_pb2.ErrorInfo()
    if details := trailers.get("grpc-status-details-bin"):
        status = status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))
        for detail in status.details:
            detail.Unpack(info)
    code = _CODES[int(trailers["grpc-status"])]
    return Answer(code, message, info.reason, dict(info.metadata))


async def raw_http(url: str, request: str, end: bytes) -> bytes:
    """What is answered, up to `end`, to a request of HTTP/1.1 that a client would not send."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode())
        return await within(reader.readuntil(end))
    finally:
        writer.close()
