"""`RestChannel`: what a generated stub takes for a channel, but calls go over REST."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

import aiohttp
import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from yarl import URL

from unora_testing.rest.binding import Binding, binding_of
from unora_testing.rest.errors import to_grpc_error

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
CONNECTIONS: Final = 64
OK: Final = 200


def rest_channel(url: str, authority: bytes | None = None) -> grpc.aio.Channel:
    """A RestChannel, for what takes a channel of gRPC: of that it has what stubs use."""
    return cast(grpc.aio.Channel, RestChannel(url, authority))


class RestChannel:
    """The gateway at an address, for stubs: `AccountServiceStub(RestChannel(url, ca))`. Methods without a route of
    `google.api.http` cannot be called.
    """

    def __init__(self, url: str, authority: bytes | None = None) -> None:
        """`url` of the gateway, such as https://127.0.0.1:8080; `authority` as PEM if it is not a public one."""
        self._url = url
        self._tls = ssl.create_default_context(cadata=authority.decode()) if authority else None
        self._http: aiohttp.ClientSession | None = None

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Q], bytes],
        response_deserializer: Callable[[bytes], A],
        _registered_method: bool | None = None,
    ) -> RestMethod[Q, A]:
        """A method of a stub."""
        return RestMethod(self, method, response_deserializer)

    async def send(self, binding: Binding, message: Message, headers: dict[str, str], timeout: float) -> bytes:
        """The body of the answer; raises AioRpcError if it is a refusal."""
        request = binding.request(message)
        if request.content_type:
            headers = headers | {"content-type": request.content_type}
        async with self.session.request(
            request.verb,
            URL(self._url + request.path, encoded=True).with_query(request.query),
            data=request.body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
        ) as answer:
            body = await answer.read()
            if answer.status != OK:
                raise to_grpc_error(answer.status, body)
            return body

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP client, which is made at the first call, within the loop."""
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=self._tls or True)
            self._http = aiohttp.ClientSession(connector=connector)
        return self._http

    async def close(self, grace: float | None = None) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.close()


class RestMethod(Generic[Q, A]):
    """One method, called as `grpc.aio` methods are."""

    def __init__(self, channel: RestChannel, path: str, deserialize: Callable[[bytes], A]) -> None:
        """`deserialize` makes the answer from protobuf's bytes: only its type is used."""
        self._channel = channel
        self._path = path
        self._deserialize = deserialize

    async def __call__(
        self, request: Q, *, timeout: float = 60, metadata: Sequence[tuple[str, Any]] | grpc.aio.Metadata | None = None
    ) -> A:
        """Call it. `timeout` in seconds. Raises AioRpcError if it is refused, NoRouteError if REST does not have it."""
        headers = {name: str(value) for name, value in metadata or ()}
        body = await self._channel.send(binding_of(self._path), request, headers, timeout)
        answer = self._deserialize(b"")
        json_format.Parse(body, answer)
        return answer
