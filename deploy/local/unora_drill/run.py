"""Starts a stack, plays the drills one after the other, and prints what came of each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from unora_bench.stack import new_folder
from unora_local.client import Refused, Unexpected
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.run_folder import RunFolder
from unora_local.stopping import EXIT_INTERRUPTED, stopped_first

from unora_drill.record import Drill, Record
from unora_drill.scene import Scene
from unora_drill.stack import DrillStack

MEMBERS: Final = 8


def main(drills: Sequence[Drill], members: int = MEMBERS) -> int:
    """Play; 0 if everything holds after each drill, 1 if not, 130 after Ctrl-C."""
    with new_folder("drill") as folder, folder.lock:
        folder.lock.acquire()
        return asyncio.run(_until_told_to_stop(folder, drills, members))


async def _until_told_to_stop(folder: RunFolder, drills: Sequence[Drill], members: int) -> int:
    records: list[Record] = []
    playing = asyncio.create_task(play(folder, Progress(), drills, members, records))
    try:
        stopped = await stopped_first(playing, lambda: print("\nstopped; the stack ends", file=sys.stderr))
        status = EXIT_INTERRUPTED if stopped else 0
    except (Mistake, Refused, StartFailedError, TimeoutError, Unexpected) as error:
        print(f"\nthe drills could not be played to the end: {error}", file=sys.stderr)
        status = 1
    for record in records:
        print(record)
    return status or int(not all(record.ok for record in records))


async def play(
    folder: RunFolder, progress: Progress, drills: Sequence[Drill], members: int, records: list[Record]
) -> None:
    """Play all drills on one stack in this folder, and add a record of each that was played to its end."""
    stack = DrillStack(folder, progress)
    scene = Scene(stack, progress)
    try:
        with progress.step("a stack of its own"):
            await stack.start()
        await scene.seed(members)
        for drill in drills:
            progress.say(f"\n{drill.title}")
            record = Record(drill.title, progress)
            await drill.play(scene, record)
            with progress.step("what must hold"):
                async with scene.clock() as clock:
                    record.checks += await scene.holds(clock)
            records.append(record)
    finally:
        with progress.step("the stack stops"):
            await scene.stack.stop()
