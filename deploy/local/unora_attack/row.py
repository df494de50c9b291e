"""One row of the report: an attack is played, and what honest members noticed is compared with the aims."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from unora_attack.figures import DEADLINES, Kind, Sample, failures, share_in_time, within
from unora_attack.logs import Logs
from unora_attack.memory import Memory
from unora_attack.orders import Tally
from unora_attack.scene import Scene
from unora_attack.traffic import Traffic

LEAST_SHARE: Final = 0.99
"""Of honest calls, answered within their deadlines, where the attacker is one member, certificate or file."""
MOST_SECONDS_UNTIL_NORMAL: Final = 10.0


@dataclass(frozen=True, slots=True)
class Played:
    """What came of an attack."""

    tally: Tally = field(default_factory=Tally)
    note: str = ""
    """What the report says of it besides."""
    faults: tuple[str, ...] = ()
    """What is not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack."""

    name: str
    """For the command line."""
    title: str
    """For the report."""
    process: str
    """The process whose memory is compared with its limit."""
    play: Callable[[Scene], Awaitable[Played]]
    prepare: Callable[[Scene], Awaitable[None]] | None = None
    """What comes before, and does not count."""
    all_answered: frozenset[Kind] = frozenset(Kind)
    """The kinds of honest calls for which LEAST_SHARE holds. For others the attack has an aim of its own."""
    judge: Callable[[Mapping[str, int]], tuple[str, ...]] = lambda _: ()
    """What is not as it must be in the outcomes of all honest calls."""
    pictures: bool = False
    """Whether honest members upload photos meanwhile."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of the services during an attack, and after it."""

    samples: list[Sample]
    """The honest calls that began during it."""
    until_normal: float | None
    """Seconds; None if it took too long."""
    peak: float
    """MiB, of the process that was attacked, with its children."""
    limit: float
    """MiB."""
    in_logs: list[str]
    """What the logs must not have, and have."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the report."""

    attack: Attack
    played: Played
    shares: dict[Kind, float | None]
    seen: Seen
    faults: tuple[str, ...]
    """All that is not as it must be; none if the row meets its aims."""


async def measure(attack: Attack, scene: Scene, traffic: Traffic, memory: Memory, limit: float, logs: Logs) -> Row:
    """Plays one attack beside the honest members."""
    if attack.prepare is not None:
        await attack.prepare(scene)
    memory.take_peak()
    logs.skip()
    begin = time.monotonic()
    played = await attack.play(scene)
    begin, end = played.tally.began or begin, played.tally.ended or time.monotonic()
    until_normal = await traffic.until_normal(end)
    await traffic.until_over(end)
    seen = Seen(within(traffic.samples, begin, end), until_normal, memory.take_peak(), limit, logs.faults())
    return judged(attack, played, seen)


def judged(attack: Attack, played: Played, seen: Seen) -> Row:
    """Compares what was seen with the aims."""
    samples = seen.samples
    shares = {kind: share_in_time(samples, kind) for kind in Kind}
    faults = [*played.faults, *seen.in_logs]
    for kind in attack.all_answered:
        share = shares[kind]
        if share is not None and share < LEAST_SHARE:
            missed = failures(each for each in samples if each.kind is kind)
            faults.append(", ".join(f"{number} {what}" for what, number in missed.most_common(4)))
    faults += attack.judge(Counter(each.outcome for each in samples))
    if seen.until_normal is None or seen.until_normal > MOST_SECONDS_UNTIL_NORMAL:
        faults.append(f"not normal within {MOST_SECONDS_UNTIL_NORMAL:.0f} s")
    if seen.peak > seen.limit:
        faults.append("over the limit of memory")
    return Row(attack, played, shares, seen, tuple(faults))


def deadlines() -> str:
    """The deadlines of honest calls, for the report."""
    return f"{DEADLINES[Kind.MEMBER]:.0f} s, of a photo's completion {DEADLINES[Kind.UPLOAD]:.0f} s"
