"""Channels of gRPC that outlive the certificate of the process: gRPC takes credentials only when a channel is opened.

It needs the extra `unora-sdk[grpc]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

import grpc

from unora_sdk.certificates import Loaded

S = TypeVar("S")


class RenewedChannel:
    """Opens a channel with the newest certificate; when there is a newer one it opens another for all new calls, and
    closes the old one after its last call. Stubs that were made before go on working. It has unary calls only.
    """

    def __init__(
        self,
        newest: Callable[[], Loaded],
        open_channel: Callable[[grpc.ChannelCredentials], grpc.aio.Channel],
        *,
        longest: float,
    ) -> None:
        """`longest` is the number of seconds after which a call on the old channel is given up."""
        self._newest = newest
        self._open = open_channel
        self._longest = longest
        self._loaded = newest()
        self._channel = open_channel(_credentials(self._loaded))
        self._closing: set[asyncio.Task[None]] = set()

    def stub(self, stub: Callable[[grpc.aio.Channel], S]) -> S:
        """A client: `channel.stub(StreakServiceStub)`."""
        return stub(cast("grpc.aio.Channel", self))

    def unary_unary(self, *arguments: Any, **options: Any) -> _Method:
        """What a stub makes of each of its methods."""
        return _Method(self, arguments, options)

    def current(self) -> grpc.aio.Channel:
        """The channel for a call that begins now. Replaces it if there is a newer certificate."""
        if (newest := self._newest()) is not self._loaded:
            old, self._loaded = self._channel, newest
            self._channel = self._open(_credentials(newest))
            closing = asyncio.ensure_future(old.close(self._longest))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return self._channel

    async def close(self) -> None:
        """Closes the channel at once, and waits for the calls of those that it has replaced."""
        await asyncio.gather(self._channel.close(), *self._closing)


class _Method:
    """A method of a stub. It is called as the method of a plain channel."""

    def __init__(self, channel: RenewedChannel, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._channel = channel
        self._arguments = arguments
        self._options = options
        self._of: grpc.aio.Channel | None = None
        self._call: Callable[..., Any]

    def __call__(self, request: Any, **options: Any) -> Any:
        current = self._channel.current()
        if current is not self._of:
            self._of, self._call = current, current.unary_unary(*self._arguments, **self._options)
        return self._call(request, **options)


def _credentials(loaded: Loaded) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(loaded.ca, loaded.key, loaded.cert)
