"""NATS has lost its data, with events in it that a context has not taken yet."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from unora_common.config import CONTEXTS

from unora_drill.record import Drill, Record
from unora_drill.scene import Scene

AWAY: Final = "safety"
"""The context that is down meanwhile: it audits every event, so that one that it does not get is missed."""
PUBLISHED_WITHIN: Final = 60.0
MISSED: Final = " + ".join(
    f"(SELECT count(*) FROM {context}.outbox o WHERE published_at IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM safety.audit_logs a WHERE a.event_id = o.id))"
    for context in CONTEXTS
)
"""Events that were published and are not in the audit log."""


async def play(scene: Scene, record: Record) -> None:
    """Deletes the store under the running server, and brings the streams back from the outboxes."""
    stack = scene.stack
    await stack.stop_services([AWAY])
    async with scene.diary() as diary:
        async with scene.clock() as clock:
            async with asyncio.timeout(PUBLISHED_WITHIN):  # what is in the outbox only is in no danger
                while not await clock.superuser.fetchval(f"SELECT {MISSED}"):
                    await diary.until_answered()
        begin = time.monotonic()
        stack.lose_streams()
        await stack.kill("nats")
        record.broken = (
            f"the folder of JetStream was deleted under the running server, which then died; {AWAY} was down"
        )
        await diary.until_answered(5)
        record.noticed = ["NatsUnreachable; outbox rows without published_at grow old; calls go on"]
        with record.step("start nats"):
            await stack.start_nats()
        with record.step("python -m unora_common.streams"):
            await stack.make_streams()
        with record.step(f"start {AWAY}"):
            await stack.start_services([AWAY])
        await diary.until_answered(5)
    async with scene.clock() as clock:
        await clock.wait_until_idle()
        missed = await clock.superuser.fetchval(f"SELECT {MISSED}")
        record.noticed.append(f"{missed} published events are in no stream, and {AWAY} has not had them")
        before = await scene.facts(clock.superuser)
        with record.step("python -m unora_<context> republish, for each context"):
            await stack.republish()
            await clock.wait_until_idle()
        record.seconds = time.monotonic() - begin
        after = await scene.facts(clock.superuser)
        left, kept = await clock.superuser.fetchval(f"SELECT {MISSED}"), await diary.kept(clock.superuser)
    events = sum(rows for name, rows in after.items() if name.endswith(".outbox"))
    record.expect("nothing lost", holds=missed > 0 and left == 0, found=f"{missed} events missed, then {left}")
    changed = [f"{name}: {before[name]}, then {rows}" for name, rows in after.items() if _differs(name, before, rows)]
    record.expect(
        "applied once", holds=not changed, found="; ".join(changed) or f"{events} events came again, no effect"
    )
    lost = len(diary.answered) - kept
    said = f"{len(diary.answered)} changes answered, {lost} lost; refused: {diary.reasons()}"
    record.expect("calls", holds=not diary.refused and not lost, found=said)


def _differs(name: str, before: Mapping[str, int], rows: int) -> bool:
    """Whether a table has other rows than before: all but those of AWAY, which takes what it had missed."""
    return not name.startswith(f"{AWAY}.") and rows != before[name]


DRILL: Final = Drill("nats", "NATS lost its data", play)
