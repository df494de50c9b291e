"""Drives one method with prepared calls at a fixed concurrency, in a process of its own; prints the figures as JSON.

Requests are bytes, so that the driver spends as little as it can on each: it shares two cores with what it measures.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import msgspec
import uvloop

WARM_UP = 0.1
"""The first part of the calls, which is made and not counted."""
CONNECTIONS = 4
Metadata = tuple[tuple[str, str], ...]
Call = tuple[str, bytes]
"""Token (may be empty) and request."""


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

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


def _channel(plan: Plan) -> grpc.aio.Channel:
    options: list[tuple[str, str | int]] = [("grpc.use_local_subchannel_pool", 1)]
    if not plan.ca:
        return grpc.aio.insecure_channel(plan.address, options=options)
    files = [Path(name).read_bytes() for name in (plan.ca, plan.key, plan.cert)]
    options.append(("grpc.ssl_target_name_override", plan.server_name))
    return grpc.aio.secure_channel(plan.address, grpc.ssl_channel_credentials(*files), options=options)


def _metadata(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),) if token else ()


async def drive(plan: Plan) -> Result:
    """Makes all calls of the plan."""
    channels = [_channel(plan) for _ in range(CONNECTIONS)]
    methods: list[Any] = [channel.unary_unary(plan.method) for channel in channels]
    prepared = [(_metadata(token), request) for token, request in plan.calls]
    errors: Counter[str] = Counter()
    seconds: list[float] = []

    async def make(calls: list[tuple[Metadata, bytes]]) -> float:
        waiting = iter(calls)
        seconds.clear()
        errors.clear()

        async def worker(number: int) -> None:
            method = methods[number % CONNECTIONS]
            for metadata, request in waiting:
                started = time.perf_counter()
                try:
                    await method(request, metadata=metadata, timeout=30)
                except grpc.aio.AioRpcError as error:
                    errors[f"{error.code().name} {error.details()}"] += 1
                seconds.append(time.perf_counter() - started)
                if plan.pause:
                    await asyncio.sleep(plan.pause)

        started = time.perf_counter()
        await asyncio.gather(*(worker(number) for number in range(plan.concurrency)))
        return time.perf_counter() - started

    first = int(len(prepared) * WARM_UP)
    await make(prepared[:first])
    total = await make(prepared[first:])
    seconds.sort()
    for channel in channels:
        await channel.close()
    middle, last = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]
    return Result(len(seconds), total, middle * 1000, last * 1000, dict(errors))


if __name__ == "__main__":
    plan = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(msgspec.json.encode(runner.run(drive(plan))).decode())
