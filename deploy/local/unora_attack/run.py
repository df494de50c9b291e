"""Starts a stack, plays the attacks one after the other, and prints the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import groupby

import uvloop
from unora_bench.stack import new_folder, own_stack, say
from unora_local.process import StartFailedError
from unora_local.run_folder import RunFolder
from unora_local.stopping import EXIT_INTERRUPTED, stopped_first

from unora_attack import gallery
from unora_attack.gallery import Gallery
from unora_attack.logs import Logs
from unora_attack.memory import Memory, limits
from unora_attack.report import report
from unora_attack.row import Attack, Row, measure
from unora_attack.scene import Scene
from unora_attack.traffic import Traffic


def main(attacks: Sequence[Attack]) -> int:
    """Plays; 0 if every row meets its aims."""
    with new_folder("attack") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_told_to_stop(folder, attacks))


async def _until_told_to_stop(folder: RunFolder, attacks: Sequence[Attack]) -> int:
    rows: list[Row] = []
    begin = time.monotonic()
    playing = asyncio.create_task(play(folder, attacks, rows))
    try:
        stopped = await stopped_first(
            playing, lambda: say(f"stopped after {len(rows)} of {len(attacks)} attacks; the stack ends")
        )
        status = EXIT_INTERRUPTED if stopped else 0
    except (StartFailedError, TimeoutError, OSError, RuntimeError) as error:
        say(f"the attacks could not be played to the end: {error}")
        status = 1
    if rows:
        print(report(rows, time.monotonic() - begin))
    return status or int(any(row.faults for row in rows))


async def play(folder: RunFolder, attacks: Sequence[Attack], rows: list[Row]) -> None:
    """Plays all attacks on a stack of their own, and adds a row for each."""
    making = asyncio.create_task(_gallery(folder, attacks))
    try:
        async with own_stack(folder) as env:
            say("members sign up")
            await _play(await Scene.prepare(env, folder, await making), attacks, rows)
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


async def _gallery(folder: RunFolder, attacks: Sequence[Attack]) -> Gallery:
    """The hostile pictures, if they are needed."""
    if not any(attack.pictures for attack in attacks):
        return Gallery([])
    return await gallery.make(folder.path.parent)


async def _play(scene: Scene, attacks: Sequence[Attack], rows: list[Row]) -> None:
    most, logs = limits(), Logs(scene.folder)
    for pictures, several in groupby(attacks, lambda attack: attack.pictures):
        async with Traffic(scene.honest(uploads=pictures), scene.files) as traffic:
            for attack in several:
                say(f"{attack.name}: {attack.title}")
                async with Memory(scene.pid(attack.process)) as memory:
                    row = await measure(attack, scene, traffic, memory, most[attack.process], logs)
                rows.append(row)
                for fault in row.faults:
                    say(f"  not as aimed: {fault}")
