"""What must hold at the end: every call answered, nothing lost, nothing left over, no invariant broken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from unora_common.config import CONTEXTS
from unora_common.stream_settings import DEAD_LETTERS
from unora_local.env import Env
from unora_sdk.nats_client import connect
from unora_testing import invariants

from unora_upgrade.load import Load, counted

ANSWER_WITHIN: Final = 60.0


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and what was found."""

    name: str
    faults: list[str]
    found: str

    @property
    def ok(self) -> bool:
        """Whether it holds."""
        return not self.faults


async def all_of(env: Env, superuser: asyncpg.Connection[asyncpg.Record], load: Load) -> list[Check]:
    """Check all, on a stack that is idle."""
    return [
        _calls(load),
        await _kept(superuser, load),
        await dead_letters(env),
        await unpublished(superuser),
        await unbroken(superuser),
    ]


def _calls(load: Load) -> Check:
    tally = load.tally
    repeats = f"{tally.repeated.total()} tries repeated" + _listed(tally.repeated.most_common(3))
    slowest = f"the slowest took {tally.slowest:.1f} s"
    return Check("calls", tally.failed, f"{tally.calls} answered, {len(tally.failed)} failed, {repeats}; {slowest}")


async def _kept(superuser: asyncpg.Connection[asyncpg.Record], load: Load) -> Check:
    """What was answered has happened, once."""
    faults = []
    there = await counted(superuser)
    answered = {"check-ins": load.tally.answered["StreakService.CheckIn"], "subscriptions": load.joined}
    for what, number in answered.items():
        if there[what] - load.before[what] != number:
            faults.append(f"{number} {what} were answered, {there[what] - load.before[what]} are there")
    found = ", ".join(f"{number} {what}" for what, number in answered.items())
    return Check("answers", faults, f"{found} are there, each once; {load.days} days passed")


async def dead_letters(env: Env) -> Check:
    """No event was given up."""
    client = await connect(env.nats, *env.certificate_files(), connect_timeout=ANSWER_WITHIN)
    try:
        number = (await client.jetstream(timeout=ANSWER_WITHIN).stream_info(DEAD_LETTERS)).state.messages
    finally:
        await client.close()
    return Check("dead letters", [f"{number} dead letters"] if number else [], f"{number}")


async def unpublished(superuser: asyncpg.Connection[asyncpg.Record]) -> Check:
    """Every event is published and applied."""
    faults, events = [], 0
    for context in CONTEXTS:
        sql = f"SELECT count(*) AS all, count(*) FILTER (WHERE published_at IS NULL) AS left FROM {context}.outbox"
        row = await superuser.fetchrow(sql)
        assert row is not None
        events += row["all"]
        if row["left"]:
            faults.append(f"{context} has {row['left']} events that are not published")
        failing = await superuser.fetch(f"SELECT consumer, error FROM {context}.inbox_failures")
        faults += [f"{each['consumer']} failed: {each['error']}" for each in failing]
    return Check("events", faults, f"{events} published and applied")


async def unbroken(superuser: asyncpg.Connection[asyncpg.Record]) -> Check:
    """No invariant is broken."""
    broken = await invariants.broken(superuser)
    faults = [f"{each.name}: {len(rows)} rows, such as {rows[0]}" for each, rows in broken.items()]
    return Check("invariants", faults, f"none of {len(invariants.INVARIANTS)} is broken" if not faults else "broken")


def deaths(found: list[str]) -> Check:
    """No process died: one that is started again soon enough loses no call, but a rollout must not need that."""
    return Check("processes", found, f"{len(found)} died")


def logs(folder: Path) -> Check:
    """No process wrote an error. What a member or a consumer met may have been made good since."""
    files = sorted(each for each in folder.glob("*.log") if each.name.partition(".")[0].split("-")[0] in CONTEXTS)
    faults = [
        f"{file.name}: {line[:200]}" for file in files for line in file.read_text().splitlines() if _is_error(line)
    ]
    return Check("logs", faults, f"{len(faults)} errors of {len(files)} processes")


def _is_error(line: str) -> bool:
    return '"level":"error"' in line or '"level":"critical"' in line or line.startswith("Traceback")


def _listed(pairs: Iterable[tuple[str, int]]) -> str:
    said = ", ".join(f"{number} × {what}" for what, number in pairs)
    return f" ({said})" if said else ""
