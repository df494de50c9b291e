"""Drives one method with prepared calls at a fixed concurrency, in a process of its own; prints the figures as JSON.

Requests are bytes, so that the driver spends as little as it can on each: it shares two cores with what it measures.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import uvloop

from unora_bench.rest import Connection

WARM_UP = 0.1
"""The first part of the calls, which is made and not counted."""
CONNECTIONS = 4
Metadata = tuple[tuple[str, str], ...]
Call = tuple[str, bytes]
"""Token (may be empty) and request."""
Send = Callable[[Metadata, bytes], Awaitable[str]]
"""Makes a call; returns what was refused, or an empty text."""


class Plan(msgspec.Struct):
    """What to call."""

    address: str
    method: str
    concurrency: int
    calls: list[Call]
    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    is_rest: bool = False
    """Whether `address` is a URL, and each request a whole one of HTTP/1.1; then each of the `concurrency` has a
    connection of its own, and `method` does not matter.
    """
    pause: float = 0.0
    """Seconds that each of the `concurrency` waits after an answer: then what follows from a call does not slow the
    next one.
    """


class Result(msgspec.Struct):
    """The figures after the warm-up."""

    calls: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: dict[str, int]
    processor_us: float = 0.0
    """Microseconds of processor time that this process spent on a call."""

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


def _channel(plan: Plan) -> grpc.aio.Channel:
    options: list[tuple[str, str | int]] = [("grpc.use_local_subchannel_pool", 1)]
    if not plan.ca:
        return grpc.aio.insecure_channel(plan.address, options=options)
    files = [Path(name).read_bytes() if name else None for name in (plan.ca, plan.key, plan.cert)]
    if plan.server_name:
        options.append(("grpc.ssl_target_name_override", plan.server_name))
    return grpc.aio.secure_channel(plan.address, grpc.ssl_channel_credentials(*files), options=options)


def _metadata(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),) if token else ()


@asynccontextmanager
async def _senders(plan: Plan) -> AsyncIterator[list[Send]]:
    if plan.is_rest:
        connections = [await Connection.open(plan.address, plan.ca) for _ in range(plan.concurrency)]
        yield [_over_rest(connection) for connection in connections]
        for connection in connections:
            connection.close()
    else:
        channels = [_channel(plan) for _ in range(CONNECTIONS)]
        yield [_over_grpc(channel.unary_unary(plan.method)) for channel in channels]
        for channel in channels:
            await channel.close()


def _over_rest(connection: Connection) -> Send:
    async def send(_: Metadata, request: bytes) -> str:
        return await connection.send(request)

    return send


def _over_grpc(method: Any) -> Send:
    async def send(metadata: Metadata, request: bytes) -> str:
        try:
            await method(request, metadata=metadata, timeout=30)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name} {error.details()}"
        return ""

    return send


async def drive(plan: Plan) -> Result:
    """Makes all calls of the plan."""
    async with _senders(plan) as senders:
        return await _drive(plan, senders)


async def _drive(plan: Plan, senders: list[Send]) -> Result:
    prepared = [(_metadata(token), request) for token, request in plan.calls]
    errors: Counter[str] = Counter()
    seconds: list[float] = []

    async def make(calls: list[tuple[Metadata, bytes]]) -> float:
        waiting = iter(calls)
        seconds.clear()
        errors.clear()

        async def worker(number: int) -> None:
            send = senders[number % len(senders)]
            for metadata, request in waiting:
                started = time.perf_counter()
                if refused := await send(metadata, request):
                    errors[refused] += 1
                seconds.append(time.perf_counter() - started)
                if plan.pause:
                    await asyncio.sleep(plan.pause)

        started = time.perf_counter()
        await asyncio.gather(*(worker(number) for number in range(plan.concurrency)))
        return time.perf_counter() - started

    first = int(len(prepared) * WARM_UP)
    await make(prepared[:first])
    spent = time.process_time()
    total = await make(prepared[first:])
    spent = time.process_time() - spent
    seconds.sort()
    middle, last = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]
    return Result(len(seconds), total, middle * 1000, last * 1000, dict(errors), spent / len(seconds) * 1e6)


if __name__ == "__main__":
    plan = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(msgspec.json.encode(runner.run(drive(plan))).decode())
