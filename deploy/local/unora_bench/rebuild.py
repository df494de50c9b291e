"""The pool of discovery made anew, while the stack runs, beside bare SQL that writes the same rows."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import asyncpg
from unora_local import services
from unora_local.process import output_of
from unora_local.run_folder import RunFolder

from unora_bench import processor
from unora_bench.figures import Figure, Group
from unora_bench.members import make_members
from unora_bench.run import Run
from unora_bench.stack import new_folder, own_stack, say

AIM_ROWS_PER_SECOND: Final = 1_700
"""Profiles a second: a million in ten minutes."""
AIM_FROM: Final = 10_000
"""Members from which on the aim counts: below, the start of the command's process takes most of the time."""
AIM_SECONDS: Final = 600
COPY: Final = (
    "CREATE TABLE discovery.bench_copy AS SELECT * FROM discovery.candidates",
    "DELETE FROM discovery.candidates",
    "VACUUM discovery.candidates",
)
WRITE: Final = "INSERT INTO discovery.candidates SELECT * FROM discovery.bench_copy ORDER BY user_id"
STATEMENT_TIMEOUT: Final = 3600.0


async def rebuild_figures(run: Run) -> None:
    """Makes members at each size, and the pool of them from nothing by the command."""
    with new_folder("rebuild") as stack:
        async with own_stack(stack) as env:
            connection = await asyncpg.connect(env.postgres)
            try:
                made = 0
                for size in run.members:
                    say(f"{size} members")
                    await make_members(connection, made + 1, size - made)
                    made = size
                    await _measure(run, stack, connection, size)
            finally:
                await connection.close()


async def _measure(run: Run, stack: RunFolder, connection: asyncpg.Connection[asyncpg.Record], size: int) -> None:
    await connection.execute("DELETE FROM discovery.candidates", timeout=STATEMENT_TIMEOUT)
    await connection.execute("VACUUM ANALYZE discovery.candidates", timeout=STATEMENT_TIMEOUT)
    rows = stack.rows()
    before = processor.spent(rows)
    say("the pool is made anew")
    async with run.watched() as noise:
        started = time.monotonic()
        await _rebuild(next(row.pid for row in rows if row.name == "discovery"))
        seconds = time.monotonic() - started
    run.notes[f"processor time of a rebuild at {size:,}, us a member"] = processor.per_call(
        before, processor.spent(rows), size
    )
    shown = await connection.fetchval("SELECT count(*) FROM discovery.candidates WHERE discovery_ready")
    if shown != size:
        raise RuntimeError(f"{shown} members are in the pool after the rebuild, not {size}")
    limit = size / await _write(connection)
    run.add(
        Figure(
            group=Group.EVENTS,
            name=f"pool made anew at {size:,}",
            value=size / seconds,
            unit="profiles/s",
            limit=limit,
            limit_name="bare SQL writing the same rows",
            aim=AIM_ROWS_PER_SECOND if size >= AIM_FROM else None,
            noise=noise.value,
        )
    )
    if size == run.largest:
        name, aim = f"time to make {size:,} profiles anew", AIM_SECONDS
        run.add(Figure(group=Group.EVENTS, name=name, value=seconds, unit="s", aim=aim, noise=noise.value))


async def _write(connection: asyncpg.Connection[asyncpg.Record]) -> float:
    """Seconds of one statement that writes the rows of the pool, which it leaves as it was."""
    for statement in COPY:
        await connection.execute(statement, timeout=STATEMENT_TIMEOUT)
    started = time.monotonic()
    await connection.execute(WRITE, timeout=STATEMENT_TIMEOUT)
    seconds = time.monotonic() - started
    await connection.execute("DROP TABLE discovery.bench_copy")
    return seconds


async def _rebuild(discovery: int) -> None:
    """The command, in the environment of the stack's discovery."""
    command = [*services.module("discovery"), "rebuild", "--restart"]
    process = await asyncio.create_subprocess_exec(
        *command, env=_environment(discovery), stdout=asyncio.subprocess.DEVNULL
    )
    await output_of(process)
    if process.returncode:
        raise RuntimeError("the rebuild failed; its reason stands above")


def _environment(process: int) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in Path(f"/proc/{process}/environ").read_text().split("\0") if pair)
    return {name: value for name, _, value in pairs}
