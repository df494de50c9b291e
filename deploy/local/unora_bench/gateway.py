"""`gateway`: what the way through the gateway costs a call, by gRPC and over REST, beside the straight way.

A stack of its own is started, on the settings of `make up` (fsync on, an Envoy with one thread), and erased afterwards.
The three ways take turns, so that noise of the machine meets all of them; each driver is one process, and its own
processor time is shown beside that of the gateway and of the service.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import Final

from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_common.ids import uuid7
from unora_local.env import Env
from unora_local.run_folder import RunFolder

from unora_bench import population, processor, rest
from unora_bench.call_subjects import CHECK_IN, DASHBOARD, check_in
from unora_bench.driver import Call, Plan, Result
from unora_bench.driving import drive, plan_for, tokens_of
from unora_bench.figures import Figure, Group
from unora_bench.population import MEMBER, MEMBERS, READER, STREAK, Kind
from unora_bench.run import Run
from unora_bench.stack import new_folder, own_stack, say

ROUNDS: Final = 3
"""How often each way has its turn."""
AT_ONCE: Final = (1, 16, 64)
ALONE: Final = 5
"""One at a time, a measurement makes so many times fewer calls."""
ADDED_MS: Final = 1.5
"""At most so much may the gateway add to the median of a call, one at a time."""
SHOWN: Final = ("gateway", "streak", "postgres")
"""Whose processor time is shown."""


class Way(StrEnum):
    """How a call gets to its service."""

    STRAIGHT = "straight"
    GRPC = "by gRPC through the gateway"
    REST = "over REST"


SHARES: Final = {Way.GRPC: 0.9, Way.REST: 0.7}
"""The part of the straight way's rate that each way must reach."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One call to measure, by gRPC and as HTTP/1.1."""

    method: str
    kind: Kind
    grpc: Callable[[int], bytes]
    rest: Callable[[int, str], bytes]

    @property
    def name(self) -> str:
        """The method without its service."""
        return self.method.rpartition("/")[2]


def _rest_check_in(number: int, token: str) -> bytes:
    body = json.dumps({"request_id": str(uuid7()), "effort_signal": "EFFORT_SIGNAL_HIGH"}).encode()
    return rest.request("POST", f"/v1/streaks/{STREAK.id(number)}:checkIn", token, body)


SUBJECTS: Final = (
    Subject(
        DASHBOARD,
        READER,
        lambda _: GetDashboardRequest().SerializeToString(),
        lambda _, token: rest.request("GET", "/v1/dashboard", token),
    ),
    Subject(CHECK_IN, MEMBER, check_in, _rest_check_in),
)


@dataclass(slots=True)
class Measured:
    """The turns of one way."""

    turns: list[Result] = field(default_factory=list)
    processor: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Microseconds a call of each process, by its name."""

    @property
    def rate(self) -> float:
        """Calls a second, over all turns."""
        return sum(each.calls for each in self.turns) / sum(each.seconds for each in self.turns)

    @property
    def p50_ms(self) -> float:
        """The median of the turns' medians."""
        return statistics.median(each.p50_ms for each in self.turns)


async def measure(run: Run) -> None:
    """Measures each call, one at a time and many at once."""
    with new_folder("gateway") as stack:
        async with own_stack(stack) as env:
            calls = max(run.calls, max(AT_ONCE) * ROUNDS) * len(AT_ONCE) * len(Way)
            await population.make(env.postgres, calls + MEMBERS)
            for subject in SUBJECTS:
                numbers, tokens = count(), tokens_of(subject.kind, stack)
                # Each token is verified at its first call, by the service and by the gateway: not what is measured.
                first = [next(numbers) for _ in range(MEMBERS)]
                await drive(_plan(env, subject, Way.GRPC, max(AT_ONCE), tokens, first), run.folder)
                for at_once in AT_ONCE:
                    await _measure(run, subject, at_once, numbers, tokens, env, stack)


async def _measure(
    run: Run, subject: Subject, at_once: int, numbers: Iterator[int], tokens: list[str], env: Env, stack: RunFolder
) -> None:
    calls = max(run.calls // (ALONE if at_once == 1 else 1) // ROUNDS, at_once)
    say(f"{subject.name}: {calls * ROUNDS} calls by each way, {at_once} at once")
    measured = {way: Measured() for way in Way}
    async with run.watched() as noise:
        for _ in range(ROUNDS):
            for way in Way:
                plan = _plan(env, subject, way, at_once, tokens, [next(numbers) for _ in range(calls)])
                await _take_turn(run, plan, measured[way], stack)
    for figure in _figures(f"{subject.name}, {at_once} at once" if at_once > 1 else subject.name, at_once, measured):
        run.add(replace(figure, noise=noise.value))


async def _take_turn(run: Run, plan: Plan, measured: Measured, stack: RunFolder) -> None:
    rows = stack.rows()
    await processor.at_rest(rows)
    before = processor.spent(rows)
    result = await drive(plan, run.folder)
    measured.turns.append(result)
    measured.processor["client"].append(result.processor_us)
    for name, microseconds in processor.per_call(before, processor.spent(rows), len(plan.calls)):
        measured.processor[name].append(microseconds)


def _plan(env: Env, subject: Subject, way: Way, at_once: int, tokens: list[str], numbers: list[int]) -> Plan:
    ca = env.values["UNORA_TLS_CA"]
    by_number = [(number, tokens[number % len(tokens)]) for number in numbers]
    if way is Way.REST:
        whole: list[Call] = [("", subject.rest(number, token)) for number, token in by_number]
        return Plan(env.gateway, subject.method, at_once, whole, ca, is_rest=True)
    calls = [(token, subject.grpc(number)) for number, token in by_number]
    if way is Way.GRPC:
        return Plan(env.gateway.removeprefix("https://"), subject.method, at_once, calls, ca)
    return plan_for(env, subject.method, at_once, calls)


def _figures(name: str, at_once: int, measured: dict[Way, Measured]) -> Iterator[Figure]:
    straight = measured[Way.STRAIGHT]
    for way, found in measured.items():
        if at_once == 1:
            yield Figure(group=Group.GATEWAY, name=f"{name} {way} p50", value=found.p50_ms, unit="ms")
            if way is not Way.STRAIGHT:
                added = found.p50_ms - straight.p50_ms
                yield Figure(group=Group.GATEWAY, name=f"{name} {way}: added", value=added, unit="ms", aim=ADDED_MS)
            continue
        share = SHARES.get(way)
        limit, limit_name = (straight.rate, "straight") if share else (None, "")
        yield Figure(
            group=Group.GATEWAY,
            name=f"{name} {way}",
            value=found.rate,
            unit="/s",
            limit=limit,
            limit_name=limit_name,
            aim_share=share,
        )
        for process in ("client", *SHOWN):
            spent = statistics.median(found.processor[process])
            yield Figure(group=Group.GATEWAY, name=f"{name} {way}: time of {process}", value=spent, unit="µs")
