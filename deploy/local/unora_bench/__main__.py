"""`make bench`: CheckIn and GetDashboard through the full stack, beside their limits, in one run.

A stack of its own is started, on the settings of `make up` (fsync on), and erased afterwards. L = 1/(1/echo + 1/sql) is
the rate of a service that is only gRPC and its SQL, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import asyncpg
import msgspec
import uvloop
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_HIGH, CheckInRequest, GetDashboardRequest
from unora_common.ids import uuid7
from unora_identity.providers.access_tokens import AccessTokens
from unora_local import ports
from unora_local.run_folder import RunFolder

from unora_bench import echo, population, processor, profile, sql
from unora_bench.driver import Plan, Result
from unora_bench.population import MEMBER, MEMBERS, READER, STREAK
from unora_bench.stack import own_stack, say, until

CHECK_IN = "/unora.streak.v1.StreakService/CheckIn"
DASHBOARD = "/unora.streak.v1.StreakService/GetDashboard"


class Bench:
    """One run."""

    def __init__(self, folder: Path, calls: int, concurrency: int) -> None:
        self.folder = folder
        self.calls = calls
        self.concurrency = concurrency
        self.figures: dict[str, float] = {}
        self.layers: list[tuple[str, float]] = []
        self.processor: list[tuple[str, float]] = []

    async def run(self) -> None:
        """Measures the limits first, each with nothing else at work, then the stack."""
        await self._echo()
        async with own_stack(self.folder) as env:
            await population.make(env["UNORA_POSTGRES_URL"], self.calls * 3)
            each = self.calls // self.concurrency
            for name, script in (("check_in_sql", sql.check_in()), ("dashboard_sql", sql.dashboard())):
                say(f"pgbench: {name}")
                self.figures[name] = await sql.run(
                    env["UNORA_POSTGRES_URL"], script, folder=self.folder, clients=self.concurrency, each=each,
                    first=self.calls * 2,
                )  # fmt: skip
            tokens = AccessTokens([(self.folder / "run/keys/token.pem").read_text()])
            members = [tokens.sign(user_id=MEMBER.id(n), session_id=uuid7()).text for n in range(MEMBERS)]
            readers = [tokens.sign(user_id=READER.id(n), session_id=uuid7()).text for n in range(MEMBERS)]
            reads = [(readers[n % MEMBERS], GetDashboardRequest().SerializeToString()) for n in range(self.calls)]
            await self._drive("dashboard", self._plan(env, DASHBOARD, reads))
            rows = RunFolder(self.folder / "run").rows()
            before = processor.spent(rows)
            await self._drive("check_in", self._plan(env, CHECK_IN, self._check_ins(members, 0)))
            await self._published(env)
            self.processor = processor.per_call(before, processor.spent(rows), self.calls)
            pid = next(row.pid for row in rows if row.name == "streak")
            say("profile of CheckIn")
            sampled = asyncio.create_task(profile.sample(pid, 5, self.folder))
            await self._drive("profiled", self._plan(env, CHECK_IN, self._check_ins(members, self.calls)))
            self.layers = await sampled

    def _check_ins(self, members: list[str], first: int) -> list[tuple[str, bytes]]:
        numbers = range(first, first + self.calls)
        return [(members[n % MEMBERS], _check_in(n)) for n in numbers]

    def _plan(self, env: dict[str, str], method: str, calls: list[tuple[str, bytes]]) -> Plan:
        return Plan(
            env["UNORA_STREAK_ADDRESS"], method, self.concurrency, calls,
            env["UNORA_TLS_CA"], env["UNORA_TLS_CERT"], env["UNORA_TLS_KEY"], "streak.unora",
        )  # fmt: skip

    async def _echo(self) -> None:
        say("bare echo")
        (port,) = ports.free()
        server = await asyncio.create_subprocess_exec(sys.executable, "-m", "unora_bench.echo", str(port))
        try:
            await until(lambda: not ports.is_free(port))
            calls = [("", _check_in(n)) for n in range(self.calls)]
            await self._drive("echo", Plan(f"127.0.0.1:{port}", echo.METHOD, self.concurrency, calls))
        finally:
            server.kill()
            await server.wait()

    async def _drive(self, name: str, plan: Plan) -> None:
        say(f"{name}: {len(plan.calls)} calls, {plan.concurrency} at once")
        file = self.folder / "plan.msgpack"
        file.write_bytes(msgspec.msgpack.encode(plan))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "unora_bench.driver", str(file)), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        result = msgspec.json.decode(output, type=Result)
        if result.errors:
            raise RuntimeError(f"{name}: calls failed: {result.errors}")
        self.figures[name] = result.rate
        self.figures[f"{name}_p50_ms"], self.figures[f"{name}_p99_ms"] = result.p50_ms, result.p99_ms

    async def _published(self, env: dict[str, str]) -> None:
        """Wait until the events of the calls are published, so that they do not disturb the next measurement."""
        connection = await asyncpg.connect(env["UNORA_POSTGRES_URL"])
        for _ in range(300):
            if not await connection.fetchval("SELECT 1 FROM streak.outbox WHERE published_at IS NULL LIMIT 1"):
                break
            await asyncio.sleep(0.2)
        await connection.close()


def _check_in(number: int) -> bytes:
    request = CheckInRequest(
        request_id=str(uuid7()), streak_id=str(STREAK.id(number)), effort_signal=EFFORT_SIGNAL_HIGH
    )
    return request.SerializeToString()


def report(bench: Bench) -> str:
    """The figures as a Markdown table, as docs/measurements.md keeps them."""
    figures = bench.figures
    echo = [figures[name] for name in ("echo", "echo_p50_ms", "echo_p99_ms")]
    lines = [
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {bench.calls} calls, {bench.concurrency} at once",
        "",
        "| | calls/s | p50 ms | p99 ms | L | of L |",
        "|---|---|---|---|---|---|",
        "| bare grpc.aio echo | {:.0f} | {:.1f} | {:.1f} | | |".format(*echo),
    ]
    for name, title in (("dashboard", "GetDashboard"), ("check_in", "CheckIn")):
        rate, limit = figures[name], figures[f"{name}_sql"]
        both = 1 / (1 / figures["echo"] + 1 / limit)
        lines.append(f"| pgbench, statements of {title} | {limit:.0f} | | | | |")
        lines.append(
            f"| {title} | {rate:.0f} | {figures[f'{name}_p50_ms']:.1f} | {figures[f'{name}_p99_ms']:.1f} "
            f"| {both:.0f} | {rate / both:.2f} |"
        )
    lines += ["", "| processor time of a CheckIn, with all that follows from its event | µs |", "|---|---|"]
    lines += [f"| {name} | {spent:.0f} |" for name, spent in bench.processor]
    lines += ["", "| where the service's time goes during CheckIn | share |", "|---|---|"]
    lines += [f"| {layer} | {share:.0%} |" for layer, share in bench.layers]
    return "\n".join(lines)


def main() -> None:
    """Parses the command line, measures, prints the report, and leaves the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m unora_bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of each measurement")
    parser.add_argument("--concurrency", type=int, default=32, help="calls at once")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="unora-bench-"))
    bench = Bench(folder, options.calls, options.concurrency)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(bench.run())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report(bench))
    if options.json:
        options.json.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
