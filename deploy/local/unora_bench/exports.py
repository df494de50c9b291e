"""`python -m unora_bench.exports`: the export of one member with three years of daily use (ID-10).

The rows are written by SQL, past the services, as many as such a member leaves; photos and the account are real.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Final

import asyncpg
import psutil
import uvloop
from unora.identity.v1.export_service_pb2 import EXPORT_STATE_READY, ExportAccountRequest, GetExportRequest
from unora_common.ids import uuid7
from unora_local import members
from unora_local.client import Gateway, Session
from unora_local.photos.portraits import portrait
from unora_local.run_folder import RunFolder
from unora_local.sms_box import SmsBox
from unora_testing.deadlines import GENEROUS

from unora_bench import processor
from unora_bench.stack import new_folder, own_stack, say

POLL: Final = 0.2
CONTEXTS: Final = ("identity", "discovery", "matching", "streak", "reveal", "billing", "safety")
# Four connections a year, one after the other, with a check-in by both on every day.
YEARS: Final = """
    CREATE TEMP TABLE c AS
        SELECT n, gen_random_uuid() AS connection, gen_random_uuid() AS streak, gen_random_uuid() AS other,
            clock.now() - n * interval '91 days' AS at
        FROM generate_series(1, {years} * 4) AS s (n);
    CREATE TEMP TABLE pair AS
        SELECT *, least(other, '{user}'::uuid) AS a, greatest(other, '{user}'::uuid) AS b FROM c;
    INSERT INTO matching.connections
            (id, user_a_id, user_b_id, server_type, connection_status, formed_at, ended_at, ended_by_id, end_reason,
            version)
        SELECT connection, a, b, 'partner', 'ended', at, at, other, 'no_time', 2 FROM pair;
    INSERT INTO matching.interests
            (id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, closed_at, version)
        SELECT gen_random_uuid(), '{user}', gen_random_uuid(), 'partner', gen_random_uuid(), 'expired', 'expired',
            clock.now() - n * interval '1 day', clock.now(), 2 FROM generate_series(1, 400) AS s (n);
    INSERT INTO streak.streaks
            (id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle, completed_days, current_day,
            zone, check_in_date, closes_at, here, started_at, ended_at, version)
        SELECT streak, connection, a, b, 'partner', 'terminated', 6, 3, 4, 'UTC', at::date, at, '{{}}', at, at, 90
        FROM pair;
    INSERT INTO streak.check_ins (id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
        SELECT gen_random_uuid(), streak, who, 1 + d / 15, 1 + d % 15, (at + d * interval '1 day')::date,
            at + d * interval '1 day', 'medium'
        FROM c, generate_series(0, 90) AS s (d), LATERAL (VALUES (other), ('{user}'::uuid)) AS w (who);
    INSERT INTO reveal.pairs (connection_id, streak_id, user_a_id, user_b_id, completed_days)
        SELECT connection, streak, a, b, 3 FROM pair;
    INSERT INTO reveal.progressions (streak_id, user_id) SELECT streak, '{user}' FROM c;
    INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number)
        SELECT gen_random_uuid(), streak, connection, '{user}', other, r FROM c, generate_series(1, 5) AS s (r);
    INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at, deleted_at)
        SELECT gen_random_uuid(), '{user}', 'partner', clock.now() - n * interval '1 day', clock.now()
        FROM generate_series(1, 90) AS s (n);
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
        VALUES ('{user}', 'plus', 0, false, 0, 1) ON CONFLICT DO NOTHING;
    INSERT INTO billing.payments
            (id, payer_id, request_id, purpose, method, amount, currency, plan, status, created_at, succeeded_at,
            version)
        SELECT gen_random_uuid(), '{user}', gen_random_uuid(), 'subscription', 'money', 999, 'USD', 'plus', 'applied',
            clock.now() - n * interval '30 days', clock.now(), 3 FROM generate_series(1, {years} * 12) AS s (n);
"""


async def measure(folder: RunFolder, years: int) -> dict[str, float]:
    """Seconds, processor seconds by process, the peaks of memory before and after, and the size of the archive."""
    async with own_stack(folder) as env, Gateway.at(env) as gateway:
        session = await members.sign_up(gateway, SmsBox(env.sms_sandbox))
        for shot in range(6):
            await members.upload(session, portrait(shot // 3, shot % 3))
        connection = await asyncpg.connect(env.postgres)
        try:
            # Its triggers watch over members' calls; here rows are written that such calls have left.
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(YEARS.format(user=session.user_id, years=years))
            await connection.execute("ANALYZE")
        finally:
            await connection.close()
        await processor.at_rest(folder.rows())
        say(f"the export of {years} years")
        before, memory = processor.spent(folder.rows()), _peaks(folder)
        begin = time.monotonic()
        size = await _export(gateway, session)
        seconds = time.monotonic() - begin
        await processor.at_rest(folder.rows())
        used = processor.per_call(before, processor.spent(folder.rows()), 1)
        figures = {"seconds": seconds, "archive_kb": size / 1024}
        figures |= {f"processor_ms_{name}": microseconds / 1000 for name, microseconds in used}
        figures |= {f"peak_mb_before_{name}": peak for name, peak in memory.items()}
        figures |= {f"peak_mb_after_{name}": peak for name, peak in _peaks(folder).items()}
    return figures


async def _export(gateway: Gateway, session: Session) -> int:
    await session.call(gateway.exports.ExportAccount, ExportAccountRequest(request_id=str(uuid7())))
    async with asyncio.timeout(5 * GENEROUS):
        while True:
            got = await session.call(gateway.exports.GetExport, GetExportRequest())
            if got.export.state == EXPORT_STATE_READY:
                return got.export.size
            await asyncio.sleep(POLL)


def _peaks(folder: RunFolder) -> dict[str, float]:
    """MB of each service at the most since it began, without its children."""
    return {row.name: _peak(row.pid) for row in folder.rows() if row.name in CONTEXTS and psutil.pid_exists(row.pid)}


def _peak(pid: int) -> float:
    (line,) = (each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Parses the command line, measures, and prints the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m unora_bench.exports", description=__doc__)
    parser.add_argument("--years", type=int, default=3, help="years of daily use")
    options = parser.parse_args()
    with new_folder("exports") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(measure(folder, options.years))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
