"""A client that repeats calls as the contract lets it (docs/interfaces.md, Repeats and Load), and counts what came of
them.

A call is repeated unchanged, with the same request id, after UNAVAILABLE, DEADLINE_EXCEEDED, or a refusal for load with
its `retry_after`. It has failed only if the last try was not answered either.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import grpc
from google.protobuf.message import Message
from unora_local.client import Gateway, Refused

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
REPEATABLE: Final = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
RETRY_DELAYS: Final = (0.1, 0.3, 1.0, 3.0)
"""Seconds before each repeat."""


@dataclass
class Tally:
    """What came of all calls."""

    answered: Counter[str] = field(default_factory=Counter)
    """By method, such as `StreakService.CheckIn`."""
    repeated: Counter[str] = field(default_factory=Counter)
    """By method and reason: tries that a repeat made good, or that were the last."""
    failed: list[str] = field(default_factory=list)
    """What members did not get, in words."""
    slowest: float = 0.0
    """Seconds of the longest call, with its repeats."""

    @property
    def calls(self) -> int:
        """How many were answered."""
        return self.answered.total()


class RepeatingGateway(Gateway):
    """All of an app's calls, repeated as an app repeats them."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], tally: Tally) -> None:
        super().__init__(channels)
        self._tally = tally

    async def call(self, method: UnaryUnaryMultiCallable[Q, A], request: Q, token: str = "") -> A:
        """Call a method, and repeat it if need be. Raises Refused, of the last try."""
        began = time.monotonic()
        for wait in (*RETRY_DELAYS, None):
            try:
                answer = await super().call(method, request, token)
            except Refused as error:
                seconds = _wait(error, wait)
                if seconds is None:
                    raise
                self._tally.repeated[f"{error.method} {error.code} {error.reason}".rstrip()] += 1
                await asyncio.sleep(seconds)
            else:
                self._tally.answered[self._names[method]] += 1
                self._tally.slowest = max(self._tally.slowest, time.monotonic() - began)
                return answer
        raise AssertionError("the last try is answered or refused")


def _wait(error: Refused, wait: float | None) -> float | None:
    """Seconds until the call is repeated; None if it is not to be."""
    if wait is None:
        return None
    if error.code == "RESOURCE_EXHAUSTED" and "retry_after" in error.metadata:
        return float(error.metadata["retry_after"]) + wait
    return wait if error.code in REPEATABLE else None
