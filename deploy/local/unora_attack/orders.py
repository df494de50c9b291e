"""What an attacker's process is told, and what it tells in the end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Final

import grpc
import msgspec
from unora_bench.driver import Call
from unora_common.grpc_errors import read_details
from unora_local.process import output_of

from unora_attack.figures import OK, percentile
from unora_attack.stack import Target

MOST_SECONDS: Final = 60.0
"""An attacker's process that does not end is killed after so long."""

MOST_DETAILS: Final = 90


class Orders(msgspec.Struct):
    """What to play."""

    attack: str
    """A name in attackers.ATTACKS."""
    target: Target
    seconds: float
    """How long to go on."""
    context: str = ""
    """The service that is attacked, where the attack does not say it."""
    tokens: list[str] = []
    """Of the members who attack."""
    file: str = ""
    """A picture."""
    content_type: str = "image/jpeg"
    rate: float = 0.0
    """Calls a second, where they are made whether earlier ones were answered or not."""
    connections: int = 1
    """Over which they are made."""
    calls: list[Call] = []
    """Tokens and requests, prepared."""

    @property
    def token(self) -> str:
        """Of the one member who attacks."""
        return self.tokens[0]


class Tally(msgspec.Struct):
    """What came of an attack."""

    outcomes: dict[str, int] = {}
    """How often: OK, or the status and the reason."""
    began: float = 0.0
    """When it began to attack; this and the next by the clock that all processes of this machine share."""
    ended: float = 0.0
    """When it stopped: what was under way then may have ended later."""
    seconds: float = 0.0
    """From the beginning until the last call had ended."""
    answered_p50_ms: float = 0.0
    refused_p50_ms: float = 0.0
    """As the attacker sees it: with the time on the wire, and in the attacker's own queues."""
    refused_p99_ms: float = 0.0
    hints_missing: int = 0
    """Refusals for load (RESOURCE_EXHAUSTED) without a reason or without `retry_after`."""
    longest_open: float = 0.0
    """Seconds for which the longest silent connection stayed open."""

    @property
    def made(self) -> int:
        """Calls or connections in all."""
        return sum(self.outcomes.values())

    def share(self, *starts: str) -> float:
        """The share of outcomes that begin with one of these."""
        found = sum(number for outcome, number in self.outcomes.items() if outcome.startswith(starts))
        return found / self.made if self.made else 0.0


def merged(tallies: list[Tally]) -> Tally:
    """What several attackers' processes did together; of times, the worst."""
    outcomes: Counter[str] = Counter()
    for each in tallies:
        outcomes.update(each.outcomes)
    return Tally(
        dict(outcomes),
        min(each.began for each in tallies),
        max(each.ended for each in tallies),
        max(each.seconds for each in tallies),
        max(each.answered_p50_ms for each in tallies),
        max(each.refused_p50_ms for each in tallies),
        max(each.refused_p99_ms for each in tallies),
        sum(each.hints_missing for each in tallies),
        max(each.longest_open for each in tallies),
    )


class Record:
    """Counts outcomes while an attack goes on."""

    def __init__(self, seconds: float = inf) -> None:
        """The attack goes on for so many seconds from now on."""
        self.begin = time.monotonic()
        self.end = self.begin + seconds
        self._outcomes: Counter[str] = Counter()
        self._answered: list[float] = []
        self._refused: list[float] = []
        self._hints_missing = 0
        self.longest_open = 0.0

    @property
    def going_on(self) -> bool:
        """Whether the time is not over."""
        return time.monotonic() < self.end

    @property
    def made(self) -> int:
        """So far."""
        return self._outcomes.total()

    @asynccontextmanager
    async def one(self, *, again: bool = False) -> AsyncIterator[None]:
        """Counts the one call that is made inside, and keeps its refusal, unless `again` says to raise it again."""
        began = time.monotonic()
        try:
            yield
        except grpc.aio.AioRpcError as error:
            self._refused_after(error, time.monotonic() - began)
            if again:
                raise
        else:
            self._outcomes[OK] += 1
            self._answered.append(time.monotonic() - began)

    def _refused_after(self, error: grpc.aio.AioRpcError, seconds: float) -> None:
        info = read_details(error).info
        # A service always gives a reason; without one, the answer is gRPC's own.
        self._outcomes[f"{error.code().name} {info.reason or (error.details() or '')[:MOST_DETAILS]}"] += 1
        self._refused.append(seconds)
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and not (info.reason and info.metadata["retry_after"]):
            self._hints_missing += 1

    def count(self, outcome: str) -> None:
        """Anything else."""
        self._outcomes[outcome] += 1

    def tally(self) -> Tally:
        """All of it."""
        return Tally(
            dict(self._outcomes),
            self.begin,
            min(self.end, time.monotonic()),
            time.monotonic() - self.begin,
            percentile(self._answered, 0.5) * 1000,
            percentile(self._refused, 0.5) * 1000,
            percentile(self._refused, 0.99) * 1000,
            self._hints_missing,
            self.longest_open,
        )


async def play(orders: Orders, folder: Path) -> Tally:
    """Plays an attack in a process of its own. Raises RuntimeError if the attacker itself fails."""
    file = folder / f"orders-{time.monotonic_ns()}.msgpack"
    file.write_bytes(msgspec.msgpack.encode(orders))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "unora_attack.attackers", str(file)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in a terminal is for this process, which ends the other
    )
    try:
        async with asyncio.timeout(MOST_SECONDS):
            output = await output_of(process)
    except TimeoutError:
        raise RuntimeError(f"the attacker of {orders.attack} did not end within {MOST_SECONDS:.0f} s") from None
    finally:
        file.unlink(missing_ok=True)
    if process.returncode:
        raise RuntimeError(f"the attacker of {orders.attack} failed, see above")
    return msgspec.json.decode(output, type=Tally)
