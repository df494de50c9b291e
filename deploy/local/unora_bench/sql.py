"""The limit of Postgres: pgbench with the statements that the services run, in the same order, on the same settings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from unora_common.batching import Write, combine
from unora_common.idempotency import insert_response
from unora_common.outbox import Outbox
from unora_local.postgres_home import program
from unora_streak.store import check_ins, streaks

from unora_bench.population import MEMBER, MEMBERS, READER, STREAK

UUID_NEW = "gen_random_uuid()"
BYTES = "convert_to(repeat('x', {size}), 'UTF8')"
NEXT = "\\set n :n + 1\n\\set k :first + :client_id * :each + :n - 1\n"
PARAMETER = re.compile(r"\$(\d+)")


def statement(sql: str, values: Sequence[str]) -> str:
    """A statement with its parameters replaced by SQL expressions, on one line."""
    return " ".join(PARAMETER.sub(lambda found: values[int(found[1]) - 1], sql).split()) + ";\n"


def check_in() -> str:
    """What CheckIn does: begin, lock, then streak, check-in, event and kept answer in one statement, commit."""
    streak, member = STREAK.sql(":k::int"), MEMBER.sql(f"mod(:k::int, {MEMBERS})")
    date, later = "(clock.now() AT TIME ZONE 'UTC')::date + 1", "clock.now() + interval '20 hours'"
    no_window = ("window_closes_at", "breaker_user_id", "hold_payment_id", "hold_until", "ended_at")
    row = dict.fromkeys(no_window, "NULL") | {
        "streak_state": "'active'",
        "cycle": "1",
        "completed_days": "3",
        "zone": "'UTC'",
        "check_in_date": date,
        "closes_at": later,
        "here": f"ARRAY[{member}]",
        "long_hold_used": "false",
        "told_ends_soon": "false",
        "version": "2",
        "current_day": "4",
        "next_due_at": later,
    }
    made = {
        "id": UUID_NEW,
        "streak_id": streak,
        "user_id": member,
        "cycle": "1",
        "day": "4",
        "check_in_date": date,
        "check_in_at": "clock.now()",
        "effort_signal": "'high'",
    }
    kept = [f"{member}::text", "'/unora.streak.v1.StreakService/CheckIn'", UUID_NEW, BYTES.format(size=32)]
    event = [f"ARRAY[{UUID_NEW}]", f"ARRAY[{streak}]", "ARRAY[2::bigint]", "ARRAY['unora.streak.v1.checked_in']"]
    payload = [f"ARRAY[{BYTES.format(size=260)}]", "ARRAY[clock.now()]", "repeat('t', 55)"]
    writes = combine(
        [
            Write(streaks.UPDATE, (streak, *streaks.CHANGING.values_of(None, **row))),
            Write(check_ins.INSERT, tuple(check_ins.COLUMNS.values_of(None, **made))),
            Write(insert_response("streak"), (*kept, BYTES.format(size=160))),
            Write(Outbox("streak").sql, (*event, *payload)),
        ]
    )
    lock = statement(streaks.LOCK, [streak, member])
    return NEXT + "BEGIN;\n" + lock + statement(writes.sql, writes.arguments) + "COMMIT;\n"


def dashboard() -> str:
    """What GetDashboard does: one read."""
    return f"\\set r random(0, {MEMBERS - 1})\n" + statement(streaks.DASHBOARD, [READER.sql(":r::int")])


async def run(dsn: str, script: str, *, folder: Path, clients: int, each: int, first: int = 0) -> float:
    """Runs a script `each` times on each of `clients` connections; returns transactions a second."""
    file = folder / "pgbench.sql"
    file.write_text(script)
    process = await asyncio.create_subprocess_exec(
        *(str(program("pgbench")), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-t", str(each)),
        *("-D", "n=0", "-D", f"first={first}", "-D", f"each={each}", "-f", str(file), dsn),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    found = re.search(r"tps = ([0-9.]+)", output.decode())
    if process.returncode or not found:
        raise RuntimeError(f"pgbench failed: {errors.decode()[-2000:]}")
    return float(found[1])
