"""A mistaken statement has damaged the database: Postgres is restored to the moment before it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from unora_testing import invariants

from unora_drill.record import Drill, Record
from unora_drill.scene import Scene

DAMAGE: Final = "DELETE FROM matching.connections"
CONNECTED: Final = "SELECT count(*) FROM matching.connections WHERE connection_status = 'active'"
TRIGGERS_OFF: Final = "SET session_replication_role = replica"
"""A mistake of a superuser that no trigger stops."""


async def play(scene: Scene, record: Record) -> None:
    """Restores all contexts to a moment, and lets the streams tell the events of that history only."""
    stack = scene.stack
    with record.step("pg_basebackup, pg_verifybackup"):
        await stack.backup.take()
    async with scene.diary() as diary, scene.clock() as clock:
        await diary.until_answered(10)
        before = await clock.superuser.fetchval(CONNECTED)
        moment: datetime = await clock.superuser.fetchval("SELECT clock_timestamp()")
        await diary.until_answered(2)
        await clock.superuser.execute(f"{TRIGGERS_OFF}; {DAMAGE}; RESET session_replication_role")
        begin = time.monotonic()
        await diary.until_answered(5)
        broken = await invariants.broken(clock.superuser)
    record.broken = f"a superuser ran `{DAMAGE}`: {before} connections are gone, and members go on calling"
    record.noticed = [
        f"members miss their partners; {len(broken)} invariants are broken, such as {next(iter(broken)).name}"
    ]
    await _restore(scene, record, moment)
    async with scene.clock() as clock:
        kept = await diary.kept(clock.superuser)
        async with scene.diary():  # a member's changes are answered again
            record.seconds = time.monotonic() - begin
        record.lost_seconds = diary.lost_seconds(kept)
        lost = len(diary.answered) - kept
        record.lost = [f"all that was written after {moment:%H:%M:%S.%f}: {lost} answered changes, here of a card"]
        found = await clock.superuser.fetchval(CONNECTED)
    said = f"{found} connections of {before} are there again, from {stack.backup.sizes()}"
    record.expect("restored", holds=found == before and 0 < lost < len(diary.answered), found=said)


async def _restore(scene: Scene, record: Record, moment: datetime) -> None:
    stack = scene.stack
    with record.step("stop all services"):
        await stack.stop_services()
    with record.step("SELECT pg_switch_wal(), and wait until it is archived"):
        await stack.backup.catch_up()
    with record.step("stop postgres and nats"):
        await stack.end("postgres")
        await stack.end("nats")
    with record.step(f"the base backup into the place of the data, recovery_target_time = '{moment.isoformat()}'"):
        await stack.backup.restore(moment)
    with record.step("start postgres, wait until it takes writes"):
        await stack.start_postgres()
    with record.step("delete all streams, start nats, python -m unora_common.streams"):
        stack.lose_streams()
        await stack.start_nats()
        await stack.make_streams()
    with record.step("start the services"):
        await stack.start_services()
    with record.step("python -m unora_<context> republish, for each context"):
        await stack.republish()


DRILL: Final = Drill("postgres", "Postgres is restored to an earlier moment", play)
