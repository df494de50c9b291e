"""`python -m unora_bench.whole_life`: export and erasure of a member with years of daily use (ID-09, ID-10).

The rows are written by SQL, past the services, as many as such a member leaves; photos and the account are real. The
export is asked for by the member, and done when GetExport says that it is ready. Then the member closes the account,
and the 30 days are over at once; the erasure is done when identity has the receipts of all contexts. Seconds contain
the waits of jobs, which look every five seconds. Processor time and peaks of memory depend less on what else the
machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import psutil
import uvloop
from unora.identity.v1.account_service_pb2 import CloseAccountRequest
from unora.identity.v1.export_service_pb2 import EXPORT_STATE_READY, ExportAccountRequest, GetExportRequest
from unora_common.config import CONTEXTS
from unora_local import members
from unora_local.client import Gateway, Session, request_id
from unora_local.photos.portraits import portrait
from unora_local.run_folder import RunFolder
from unora_local.sms_box import SmsBox
from unora_testing.deadlines import GENEROUS

from unora_bench import processor
from unora_bench.stack import new_folder, own_stack, say
from unora_bench.years import make_years

POLL: Final = 0.1
"""Seconds between two looks: seldom enough that looking costs little of the processor time that is measured."""
PHOTOS: Final = 6
IDLE: Final = 10.0
"""Seconds for which a stack without work is watched: what it spends then is not part of what is measured."""
LONGEST: Final = 5 * GENEROUS
BEGIN: Final = "UPDATE identity.users SET erase_after = clock.now() WHERE id = $1 AND closed_at IS NOT NULL"
IS_ERASED: Final = "SELECT count(*) > 0 FROM identity.erasures WHERE user_id = $1 AND erased_at IS NOT NULL"
Figures = dict[str, Any]


async def measure(folder: RunFolder, years: int, others: int) -> Figures:
    """Rows by table, and of export and erasure: seconds, processor time and peak of memory by process."""
    async with own_stack(folder) as env, Gateway.at(env) as gateway:
        session = await members.sign_up(gateway, SmsBox(env.sms_sandbox))
        for shot in range(PHOTOS):
            await members.upload(session, portrait(shot // 3, shot % 3))
        member = UUID(session.user_id)
        connection = await asyncpg.connect(env.postgres)
        try:
            say(f"the rows of {years} years, beside {others:,} cards of others")
            rows = await make_years(connection, member, years, others)
            say("export")
            size, export = await _watched(folder, lambda: _export(gateway, session))
            say("the member closes the account")
            await session.call(gateway.accounts.CloseAccount, CloseAccountRequest(request_id=request_id()))
            say("erasure")
            left, erasure = await _watched(folder, lambda: _erase(connection, member))
        finally:
            await connection.close()
    return {
        "rows": rows,
        "export": export | {"archive_kb": round(size / 1024)},
        "erasure": erasure | {"refresh_tokens_left": left},
    }


async def _watched(folder: RunFolder, work: Callable[[], Awaitable[int]]) -> tuple[int, Figures]:
    """Does the work on a stack that is at rest. Returns its result, and what it cost."""
    rows = folder.rows()
    await processor.at_rest(rows)
    pids = {row.name: row.pid for row in rows if row.name in CONTEXTS and psutil.pid_exists(row.pid)}
    _begin_peaks(pids.values())
    calm = processor.spent(rows)
    await asyncio.sleep(IDLE)
    before, memory, begin = processor.spent(rows), _memory(pids), time.monotonic()
    result = await work()
    seconds = time.monotonic() - begin
    await processor.at_rest(rows)
    window = time.monotonic() - begin
    spent = beyond_idle(calm, before, processor.spent(rows), window / IDLE)
    peaks = _memory(pids)
    return result, {
        "seconds": round(seconds, 2),
        "processor_ms": {name: round(each * 1000) for name, each in spent.items()},
        "memory_mb_before": {name: round(each) for name, each in memory.items()},
        "peak_mb": {name: round(each) for name, each in peaks.items()},
    }


def beyond_idle(
    calm: Mapping[str, float], before: Mapping[str, float], after: Mapping[str, float], windows: float
) -> dict[str, float]:
    """Seconds of processor time by process, the most first, without what it spends in any case: that is what it spent
    between `calm` and `before`, for so many windows of that length.
    """
    found = {name: after[name] - before[name] - (before[name] - calm[name]) * windows for name in before}
    return {name: max(found[name], 0.0) for name in sorted(found, key=lambda name: -found[name])}


async def _export(gateway: Gateway, session: Session) -> int:
    await session.call(gateway.exports.ExportAccount, ExportAccountRequest(request_id=request_id()))
    async with asyncio.timeout(LONGEST):
        while True:
            got = await session.call(gateway.exports.GetExport, GetExportRequest())
            if got.export.state == EXPORT_STATE_READY:
                return got.export.size
            await asyncio.sleep(POLL)


async def _erase(connection: asyncpg.Connection[asyncpg.Record], member: UUID) -> int:
    """Ends the member's 30 days, and waits for the last receipt. Returns how many refresh tokens are left."""
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(BEGIN, member)
    await connection.execute("RESET session_replication_role")
    async with asyncio.timeout(LONGEST):
        while True:
            if await connection.fetchval(IS_ERASED, member):
                break
            await asyncio.sleep(POLL)
    tokens: int = await connection.fetchval("SELECT count(*) FROM identity.refresh_tokens")
    return tokens


def _begin_peaks(pids: Iterable[int]) -> None:
    """Lets the peaks of memory begin anew, from what the processes have now."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _memory(pids: Mapping[str, int]) -> dict[str, float]:
    """Each process's peak of resident memory in MB (10⁶), without its children."""
    return {name: peak_in(Path(f"/proc/{pid}/status").read_text()) for name, pid in pids.items()}


def peak_in(status: str) -> float:
    """The peak of resident memory in MB (10⁶) that a process's status tells, in the form of Linux."""
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1_000_000


def report(figures: Figures) -> str:
    """The costs as tables of Markdown."""
    lines = [f"{sum(figures['rows'].values()):,} rows were made"]
    for name in ("export", "erasure"):
        cost = figures[name]
        lines += ["", f"{name}: {cost['seconds']} s", ""]
        lines += ["| process | processor ms beyond idle | memory before, MB | peak, MB |", "|---|---|---|---|"]
        for process, spent in cost["processor_ms"].items():
            before, peak = (cost[key].get(process, "") for key in ("memory_mb_before", "peak_mb"))
            lines.append(f"| {process} | {spent} | {before} | {peak} |")
    return "\n".join(lines)


def main() -> None:
    """Parses the command line, measures, prints tables, and writes the figures as JSON if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_bench.whole_life", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--years", type=int, default=3, help="years of daily use (3)")
    parser.add_argument("--cards", type=int, default=100_000, help="cards of others that lie around (100000)")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    try:
        with new_folder("whole-life") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(measure(folder, options.years, options.cards))
    except KeyboardInterrupt:
        sys.exit(130)
    print(report(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
