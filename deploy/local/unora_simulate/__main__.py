"""`make simulate`: grows databases of members day by day, with the real tables, constraints, triggers and retention.

Without a size: a year at 10,000 members, a month at 100,000, three days at 1,000,000; what the larger ones would take
after a year is extrapolated, and marked so. A Postgres of its own is started for it, and erased afterwards. Rows are
made by set-based SQL, not by calls: what a member does in a day stands in unora_simulate/assumptions.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from unora_common import migrations, provision
from unora_common.config import CONTEXTS
from unora_local import ports, postgres_home
from unora_local.postgres import Postgres

from unora_simulate.assumptions import ASSUMPTIONS
from unora_simulate.report import Run, as_json, measured_days, report
from unora_simulate.simulation import Simulation

DEFAULT: Final = ((10_000, 365), (100_000, 30), (1_000_000, 3))
MINIMUM: Final = 100
"""Fewer members would not fill batches of different members."""
SETTINGS: Final = (
    "autovacuum = off",
    "max_wal_size = '4GB'",
    "synchronous_commit = off",
    "maintenance_work_mem = '512MB'",
)
"""Vacuum runs between the days: a day is over before autovacuum looks. A commit need not be durable: a run that is
interrupted begins anew.
"""


@asynccontextmanager
async def own_postgres(folder: Path) -> AsyncIterator[tuple[Postgres, str]]:
    """A Postgres in a folder, with the schemas of all contexts, and the password of their roles."""
    postgres_home.let_through(folder)
    password = secrets.token_hex(16)
    (port,) = ports.free(1)
    server = Postgres(folder / "postgres", port=port, password=password, log=folder / "log", shared_buffers="1GB")
    await server.start()
    try:
        connection = await asyncpg.connect(server.dsn())
        for setting in SETTINGS:
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()
        roles = dict.fromkeys(provision.role_names(CONTEXTS), password)
        await provision.prepare(server.dsn(), roles, movable_clock=True)
        for context in CONTEXTS:
            await asyncio.to_thread(migrations.upgrade, context, server.dsn(f"unora_{context}_owner", password))
        yield server, password
    finally:
        await server.stop()
        server.erase()


async def simulate(members: int, days: int, others: list[int], runs: list[Run]) -> None:
    """Plays one size on a Postgres of its own, and adds what it measured to `runs`, also if it is interrupted."""
    folder = Path(tempfile.mkdtemp(prefix="unora-simulate-"))

    def progress(day: int) -> None:
        print(f"  … {members:,} members: day {day} of {days}", file=sys.stderr, flush=True)

    try:
        async with own_postgres(folder) as (server, password):
            simulation = Simulation(
                server.dsn(), lambda context: server.dsn(f"unora_{context}", password), members, ASSUMPTIONS
            )
            try:
                await simulation.run(days, measured_days(days, others), progress)
            finally:
                if steps := simulation.steps:
                    runs.append(Run(members, steps[-1].day, steps))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Parses the command line, simulates, and prints the report; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m unora_simulate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=_positive, nargs="+", metavar="N", help="members at the end of each run")
    parser.add_argument("--days", type=_positive, nargs="+", metavar="N", help="days of each run, as many as --members")
    parser.add_argument("--json", type=Path, metavar="FILE", help="a file for the figures")
    options = parser.parse_args(arguments)
    sizes: tuple[tuple[int, int], ...] = DEFAULT
    if options.members or options.days:
        if len(options.members or ()) != len(options.days or ()):
            parser.error("--members and --days need as many numbers as each other, such as --members 1000 --days 30")
        sizes = tuple(zip(options.members, options.days, strict=True))
    if min(members for members, _ in sizes) < MINIMUM:
        parser.error(f"--members must be at least {MINIMUM}")
    runs: list[Run] = []
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell starts what runs in the background without the first
        signal.signal(each, signal.default_int_handler)
    try:
        for members, days in sizes:
            asyncio.run(simulate(members, days, [each for _, each in sizes], runs))
    except KeyboardInterrupt:
        print("interrupted; the database is erased. What was measured until then:", file=sys.stderr)
        return 130
    finally:
        if runs:
            print(report(runs))
            if options.json:
                options.json.write_text(json.dumps(as_json(runs), indent=1))
    return 0


def _positive(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


if __name__ == "__main__":
    sys.exit(main())
