"""The limit of Postgres: pgbench with the statements that the services run, in the same order, on the same settings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from unora_common.batching import Write, combine
from unora_common.idempotency import insert_response
from unora_common.outbox import Outbox
from unora_streak.store import streaks

from unora_local.bench.population import MEMBER, MEMBERS, READER, STREAK
from unora_local.postgres_home import program

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
    moving = ["'active'", "1", "3", "'UTC'", date, later, f"ARRAY[{member}]"]
    moving += ["NULL", "NULL", "NULL", "NULL", "false", "NULL", "2", "4", later]  # no window, no hold, no end
    made = [member, "1", "4", date, "clock.now()", "'high'"]
    kept = [f"{member}::text", "'/unora.streak.v1.StreakService/CheckIn'", UUID_NEW, BYTES.format(size=32)]
    event = [f"ARRAY[{UUID_NEW}]", f"ARRAY[{streak}]", "ARRAY[2::bigint]", "ARRAY['unora.streak.v1.checked_in']"]
    payload = [f"ARRAY[{BYTES.format(size=260)}]", "ARRAY[clock.now()]", "repeat('t', 55)"]
    writes = combine(
        [
            Write(streaks.UPDATE, (streak, *moving)),
            Write(streaks.INSERT_CHECK_IN, (UUID_NEW, streak, *made)),
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
