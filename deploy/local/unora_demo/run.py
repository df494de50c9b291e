"""Finds or starts a stack, plays the journey, counts violations, and writes down what it saw."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
from unora_local.cast import PEOPLE
from unora_local.client import Unexpected
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keys import write_private
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.stopping import EXIT_INTERRUPTED, stopped_first
from unora_local.up import READY_WITHIN, Stack
from unora_testing import invariants
from unora_testing.deadlines import GENEROUS

from unora_demo import journey, pushes
from unora_demo.event_examples import EventRecording, hearing
from unora_demo.gateway import Via, gateway_of
from unora_demo.notifier import PacedClock
from unora_demo.provider import Provider
from unora_demo.recording import Recording
from unora_demo.stage import Stage
from unora_demo.timeline import Note, Step, StepFailed, Timeline
from unora_demo.venue import Venue, on_this_machine

POLL: Final = 0.1
"""Seconds between two looks at whether a stack that another process starts, in some seconds, is ready."""


@dataclass(frozen=True)
class Wishes:
    """How the demo is played."""

    members: int = len(PEOPLE)
    via: Via = "grpc"
    replicas: int = 1
    """How many processes of each context a stack has that is started for it."""
    record: Path | None = None
    """Where examples of the calls by REST go."""
    record_events: Path | None = None
    """Where examples of the events go."""


DEFAULTS: Final = Wishes()


@dataclass
class Report:
    """What the demo writes down."""

    steps: list[Step] = field(default_factory=list)
    days: int = 0
    rpc_calls: int = 0
    events: int = 0
    """Emitted by the services in this run."""
    violations: int = 0
    """Rows that break an invariant."""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether all went as expected."""
        return bool(self.steps) and all(step.ok for step in self.steps) and not self.violations


def main(folder: RunFolder, wishes: Wishes = DEFAULTS) -> int:
    """Play; 0 if every step saw what it expects and no invariant is broken. Then examples of the events are written."""
    events = EventRecording()
    code = asyncio.run(_until_told_to_stop(folder, wishes, events))
    if wishes.record_events and code == 0:
        events.write(wishes.record_events)
    return code


async def _until_told_to_stop(folder: RunFolder, wishes: Wishes, events: EventRecording) -> int:
    playing = asyncio.create_task(_play_somewhere(folder, wishes, events))
    if await stopped_first(playing, lambda: print("\nstopped", file=sys.stderr)):
        return EXIT_INTERRUPTED
    return playing.result()


async def _play_somewhere(folder: RunFolder, wishes: Wishes, events: EventRecording) -> int:
    try:
        async with running(folder, wishes.replicas), _recorded(folder, events if wishes.record_events else None):
            return 0 if (await play(on_this_machine(folder), wishes)).ok else 1
    except (StartFailedError, Mistake, OSError, asyncpg.PostgresError) as error:
        print(f"\nthe demo could not be played: {error}", file=sys.stderr)
        return 1


@asynccontextmanager
async def _recorded(folder: RunFolder, events: EventRecording | None) -> AsyncIterator[None]:
    """Examples of events are kept meanwhile, if they are wanted."""
    if events is None:
        yield
        return
    async with hearing(Env.read(folder.env), events):
        yield


@asynccontextmanager
async def running(folder: RunFolder, replicas: int) -> AsyncIterator[None]:
    """A stack that is ready: the one that runs, or one that is started here and stopped afterwards; its data stay."""
    if not folder.lock.acquire():
        await _ready(folder)
        print(f"Unora runs already, in {folder.path}")
        yield
        return
    with folder.lock:
        folder.remove_env()
        folder.stop_leftovers()
        progress = Progress()
        progress.say("Unora starts")
        stack = Stack(folder, progress, replicas=replicas)
        try:
            await stack.start()
            yield
        finally:
            progress.say("Unora stops; the data stay")
            await stack.stop()


async def _ready(folder: RunFolder) -> None:
    """Wait for a stack that another process starts."""
    for _ in range(round(READY_WITHIN / POLL)):
        if folder.env.exists():
            return
        await asyncio.sleep(POLL)
    raise TimeoutError("the stack that is starting, or stopping, did not become ready")


async def play(venue: Venue, wishes: Wishes) -> Report:
    """Play on a stack that is ready, and write the report, however it ends."""
    begin = time.monotonic()
    env, timeline, report = venue.env, Timeline(), Report()
    timeline.say(f"\n{wishes.members} members: two from sign-up to Day 15, and what may happen on the way\n")
    recording = Recording() if wishes.record else None
    async with (
        Clock(env, GENEROUS) as clock,
        gateway_of(env, wishes.via, recording) as gateway,
        venue.notifying() as notifier,
    ):
        stage = Stage(
            gateway=gateway,
            clock=PacedClock(clock, notifier) if notifier else clock,
            notifier=notifier,
            box=venue.box,
            provider=Provider(env.payment_sandbox, env.payment_sandbox_key),
            make_admin=venue.make_admin,
            size=wishes.members,
        )
        before = await clock.count_events()
        try:
            with suppress(StepFailed):
                await journey.play(stage, timeline)
            with suppress(StepFailed), timeline.step("the invariants") as note:
                await _count(clock, report, note, before)
        finally:
            report.steps, report.days, report.rpc_calls = timeline.steps, stage.strip.days, len(gateway.called)
            report.seconds = round(time.monotonic() - begin, 1)
            content = json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n"
            write_private(venue.report, content.encode())
    _conclude(timeline, stage, report, venue.report)
    if wishes.record and recording:
        _keep_examples(recording, wishes.record, report)
    return report


def _keep_examples(recording: Recording, file: Path, report: Report) -> None:
    """Write the examples in place of earlier ones. A story that went wrong could lack calls, or show other answers."""
    if report.ok:
        recording.write(file)
    else:
        print(f"no examples were written to {file}, since not all went as expected", file=sys.stderr)


async def _count(clock: Clock, report: Report, note: Note, before: int) -> None:
    """Count the events, and when the stack is idle the violations over all schemas."""
    report.events = await clock.count_events() - before
    await clock.wait_until_idle()
    broken = await invariants.broken(clock.superuser)
    report.violations = sum(len(rows) for rows in broken.values())
    if broken:
        said = (f"{invariant.name}: {len(rows)}, such as {rows[0]}" for invariant, rows in broken.items())
        raise Unexpected("; ".join(said))
    note.detail = f"none of {len(invariants.INVARIANTS)} is broken, over all schemas"


def _conclude(timeline: Timeline, stage: Stage, report: Report, file: Path) -> None:
    timeline.say()
    if report.days:
        for line in stage.strip.lines():
            timeline.say(f"  {line}")
        timeline.say()
    for line in pushes.lines(stage):
        timeline.say(f"  {line}".rstrip())
    how = "all went as expected" if report.ok else "NOT all went as expected"
    timeline.say(
        f"  {how}: {len(report.steps)} steps, {report.days} days, {report.rpc_calls} calls, {report.events} events, "
        f"{report.violations} violations in {report.seconds:.1f} s; see {file}\n"
    )
