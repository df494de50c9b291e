"""Overload by many: three times as many check-ins as the service can take, from many members."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families
from unora_bench import population, processor
from unora_bench.call_subjects import CHECK_IN, check_ins
from unora_bench.driver import Call
from unora_bench.driving import drive, plan_for, tokens_of
from unora_bench.population import MEMBER
from unora_testing.deadlines import GENEROUS

from unora_attack.figures import OK
from unora_attack.orders import Orders, Tally
from unora_attack.row import Attack, Played
from unora_attack.scene import Scene

PEAK_CALLS: Final = 3000
PEAK_CONCURRENCY: Final = (32, 64)
"""Calls at once at which the peak is looked for."""
TIMES: Final = 3
SECONDS: Final = 6.0
ATTACKERS: Final = 2
"""Processes."""
CONNECTIONS: Final = 4
"""Of each of them."""
PROBE_RATE: Final = 40.0
"""Calls a second of one more client, on a connection of its own: it waits for the service, and not in the queues of the
attackers.
"""
STREAKS: Final = 30_000
"""For the peak and the overload together; each is checked in once."""
LEAST_OF_PEAK: Final = 0.8
MOST_MEDIAN: Final = 0.05
"""Seconds of the service's own time that half of all refusals may take."""
REFUSED: Final = "RESOURCE_EXHAUSTED"


class Overload:
    """One run: the peak first, then the overload."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._tokens: list[str] = []
        self._used = 0

    async def prepare(self, scene: Scene) -> None:
        """Makes streaks, measures the peak, and waits until nothing of its calls is left to do."""
        await population.make(scene.env.postgres, STREAKS)
        self._tokens = await asyncio.to_thread(tokens_of, MEMBER, scene.folder)
        for concurrency in PEAK_CONCURRENCY:
            plan = plan_for(scene.env, CHECK_IN, concurrency, self._take(PEAK_CALLS))
            self._peak = max(self._peak, (await drive(plan, scene.files)).rate)
        await processor.at_rest(scene.folder.rows())

    async def play(self, scene: Scene) -> Played:
        """Offers TIMES as many calls as the peak."""
        before = await refusal_times(scene)
        rate = self._peak * TIMES / ATTACKERS
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(scene.attack(self._orders(scene, PROBE_RATE, connections=1)))
            attackers = [self._orders(scene, rate, connections=CONNECTIONS) for _ in range(ATTACKERS)]
            tally = await scene.attack(*attackers)
        return judge(tally, self._peak, (await refusal_times(scene)).since(before), probe.result())

    def _orders(self, scene: Scene, rate: float, *, connections: int) -> Orders:
        most = (STREAKS - PEAK_CALLS * len(PEAK_CONCURRENCY)) // ATTACKERS
        calls = self._take(min(int(rate * SECONDS), most))
        return Orders(
            attack="check-ins",
            target=scene.target,
            seconds=SECONDS,
            rate=rate,
            connections=connections,
            calls=calls,
        )

    def _take(self, count: int) -> list[Call]:
        """Check-ins of streaks that were not used before."""
        calls = check_ins(self._tokens, self._used, count)
        self._used += count
        return calls


class Buckets(msgspec.Struct, frozen=True):
    """A histogram of times: how many were at most so long, by seconds."""

    counts: dict[float, float]

    def since(self, before: Buckets) -> Buckets:
        """Without those that were there before."""
        return Buckets({le: number - before.counts.get(le, 0) for le, number in self.counts.items()})

    def median(self) -> float:
        """The bound of the bucket that holds it, in seconds; 0 if there is nothing."""
        total = max(self.counts.values(), default=0)
        return next((le for le, number in sorted(self.counts.items()) if total and number >= total / 2), 0.0)


async def refusal_times(scene: Scene) -> Buckets:
    """How long the service itself took to refuse CheckIns for load since it began, by its metrics."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{scene.target.metrics['streak']}/metrics", timeout=GENEROUS)
    return read_refusals(answer.text)


def read_refusals(text: str) -> Buckets:
    """From the text that Prometheus reads."""
    wanted = {"method": "CheckIn", "code": REFUSED}
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return Buckets(
        {
            float(each.labels["le"]): each.value
            for each in samples
            if each.name == "unora_rpc_duration_seconds_bucket" and wanted.items() <= each.labels.items()
        }
    )


def judge(tally: Tally, peak: float, refusals: Buckets, probe: Tally) -> Played:
    """Compares what was answered with the peak (calls a second), and looks at the refusals: how long the service worked
    on them, and how long one more client (the probe) waited for them.
    """
    median = refusals.median()
    rate = (tally.outcomes.get(OK, 0) + probe.outcomes.get(OK, 0)) / tally.seconds
    faults = []
    if rate < peak * LEAST_OF_PEAK:
        faults.append(f"fewer answers than {LEAST_OF_PEAK:.0%} of the peak")
    if tally.hints_missing:
        faults.append(f"{tally.hints_missing} refusals without a hint")
    others = {outcome: number for outcome, number in tally.outcomes.items() if not outcome.startswith((OK, REFUSED))}
    faults += [f"{number} {outcome}" for outcome, number in others.items()]
    if median > MOST_MEDIAN:
        faults.append(f"the service takes {median:.3f} s to refuse a call")
    if probe.refused_p50_ms > MOST_MEDIAN * 1000:
        faults.append(f"a client on a connection of its own waits {probe.refused_p50_ms:.0f} ms for a refusal")
    answered = f"answered {rate:.0f}/s, {rate / peak:.2f} of the peak of {peak:.0f}/s"
    refused = (
        f"refused within {median * 1000:g} ms of work, and {probe.refused_p50_ms:.0f} ms for a client on a connection "
        "of its own (medians)"
    )
    return Played(tally, f"{answered}; {refused}", tuple(faults))


_RUN: Final = Overload()
OVERLOAD: Final = Attack(
    name="overload",
    title=f"many members, {TIMES} times as many CheckIns as the peak",
    process="streak",
    prepare=_RUN.prepare,
    play=_RUN.play,
    all_answered=frozenset(),
)
