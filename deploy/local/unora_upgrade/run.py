"""The steps: the earlier release runs and members call; then migrations, a roll to today's, back, and forward again."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unora_common.config import CONTEXTS
from unora_local import postgres_home
from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard import seed
from unora_local.keyboard.people import People
from unora_local.keyboard.sessions import session_of
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.run_folder import CLONE, RunFolder
from unora_local.stopping import EXIT_INTERRUPTED, stopped_first
from unora_tools.schemas.recorded import SCHEMAS

from unora_upgrade import checks, release
from unora_upgrade.checks import Check
from unora_upgrade.fleet import Fleet
from unora_upgrade.load import Load, by_grpc
from unora_upgrade.release import Release
from unora_upgrade.repeating import Tally

HOME: Final = CLONE / ".run" / "upgrade"
"""Where earlier releases are built, and the stack has its folder."""
MEMBERS: Final = 16
SETTLE_SECONDS: Final = 10.0
"""Seconds for which members call between two steps."""
IDLE_WITHIN: Final = 120.0
FAULTS: Final = 5
"""The most that are printed of a kind."""


@dataclass(frozen=True)
class Plan:
    """What to run."""

    home: Path = HOME
    wanted: str | None = None
    """The commit of the earlier release; None for the one in `deploy/upgrade/from`."""
    members: int = MEMBERS
    steady: float = SETTLE_SECONDS


def main(plan: Plan) -> int:
    """Run; 0 if everything holds, 1 if not, 130 after Ctrl-C."""
    try:
        return asyncio.run(_until_told_to_stop(plan))
    except (Mistake, StartFailedError, OSError) as error:
        print(f"\nthe upgrade could not be tried: {error}", file=sys.stderr)
        return 1


async def _until_told_to_stop(plan: Plan) -> int:
    running = asyncio.create_task(_run(plan))
    if await stopped_first(running, lambda: print("\nstopped; the stack ends", file=sys.stderr)):
        return EXIT_INTERRUPTED
    return running.result()


async def _run(plan: Plan) -> int:
    progress, begin = Progress(), time.monotonic()
    with progress.step("the earlier release is built"):
        old = await release.earlier(plan.home, plan.wanted)
    with _new_folder(plan.home) as folder:
        found = [*await _on_a_stack(plan, folder, progress, old), checks.logs(folder.logs)]
        if plan.wanted is None:
            found.append(await _record(old))
        ok = all(check.ok for check in found)
        print(_report(found, time.monotonic() - begin))
        if ok:
            folder.erase()
        else:
            print(f"  the logs are in {folder.logs}\n")
    return 0 if ok else 1


async def _record(old: Release) -> Check:
    """What `make check` compares with is what the earlier release declares."""
    recorded = json.loads(SCHEMAS.read_text())
    wrong = [name for name, said in (await old.schemas(CONTEXTS)).items() if recorded.get(name) != said]
    faults = [f"{SCHEMAS.name} is not of {old.name} for {', '.join(wrong)}: make baseline"] if wrong else []
    return Check("record", faults, f"{SCHEMAS.relative_to(CLONE)} is of {old.name}")


@contextmanager
def _new_folder(home: Path) -> Iterator[RunFolder]:
    """The folder of the stack, without anything of an earlier run; the database is erased afterwards."""
    folder = RunFolder(home / "stack")
    if not folder.lock.acquire():
        raise Mistake(f"another upgrade is being tried in {folder.path}: wait until it has ended")
    folder.stop_leftovers()
    postgres_home.erase_data(folder.path / "postgres")
    folder.erase()
    folder.lock.release()
    if not folder.lock.acquire():  # the file of the lock is a new one
        raise Mistake(f"another upgrade is being tried in {folder.path}: wait until it has ended")
    with folder.lock:
        try:
            yield folder
        finally:
            postgres_home.erase_data(folder.path / "postgres")


async def _on_a_stack(plan: Plan, folder: RunFolder, progress: Progress, old: Release) -> list[Check]:
    fleet = Fleet(folder, progress)
    try:
        await fleet.start(old)
        env, people = Env.read(folder.env), People(folder.path)
        await seed.seed(env, people, plan.members, progress)
        async with Clock(env, IDLE_WITHIN) as clock, by_grpc(env, Tally()) as gateway:
            sessions = [(await session_of(gateway, env, people, login))[1] for login in people.all()]
            load = Load(env, clock, sessions)
            async with load:
                await _steps(plan, fleet, progress, old, load)
            with progress.step("all that is under way ends"):
                await clock.wait_until_idle()
            return [*await checks.all_of(env, clock.superuser, load), checks.deaths(fleet.deaths)]
    finally:
        with progress.step("the stack stops"):
            await fleet.stop()


async def _steps(plan: Plan, fleet: Fleet, progress: Progress, old: Release, load: Load) -> None:
    """What operators do, while members call."""
    new = release.todays()
    steps: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
        (f"{old.name} alone", lambda: asyncio.sleep(plan.steady)),
        (f"schemas and streams of {new.name}", lambda: fleet.migrate(new)),
        (f"{old.name} on the new schemas", lambda: asyncio.sleep(plan.steady)),
        (f"roll to {new.name}", lambda: fleet.roll(new)),
        (f"{new.name} alone", lambda: asyncio.sleep(plan.steady)),
        (f"roll back to {old.name}", lambda: fleet.roll(old, back=True)),
        (f"{old.name} after what {new.name} has written", lambda: asyncio.sleep(plan.steady)),
        (f"roll to {new.name} again", lambda: fleet.roll(new)),
        (f"{new.name} alone", lambda: asyncio.sleep(plan.steady)),
    )
    for name, work in steps:
        before, failed = load.tally.calls, len(load.tally.failed)
        with progress.step(name) as step:
            await work()
            step.now(f"{load.tally.calls - before} calls, {len(load.tally.failed) - failed} failed")
        for fault in load.tally.failed[failed:][:FAULTS]:
            progress.say(f"  ! {fault}")


def _report(found: list[Check], seconds: float) -> str:
    lines = [""]
    for check in found:
        lines.append(f"  {'✓' if check.ok else '✗'} {check.name}: {check.found}")
        lines += [f"      {fault}" for fault in check.faults[:FAULTS]]
    how = "no call was lost, and nothing is broken" if all(each.ok for each in found) else "NOT all is as it must be"
    return "\n".join([*lines, f"\n  {how}: {seconds:.0f} s\n"])
