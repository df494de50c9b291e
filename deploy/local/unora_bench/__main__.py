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
import sys
from pathlib import Path

import uvloop
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local import ports
from unora_local.run_folder import RunFolder

from unora_bench import echo, population, processor, profile, sql
from unora_bench.calls import CHECK_IN, DASHBOARD, check_in, check_ins, drive, plan_for, published, tokens_of
from unora_bench.driver import Plan
from unora_bench.population import MEMBER, MEMBERS, READER
from unora_bench.stack import new_folder, own_stack, say, until


class Bench:
    """One run."""

    def __init__(self, stack: RunFolder, calls: int, concurrency: int) -> None:
        self.stack = stack
        self.folder = stack.path.parent
        self.calls = calls
        self.concurrency = concurrency
        self.figures: dict[str, float] = {}
        self.layers: list[tuple[str, float]] = []
        self.processor: list[tuple[str, float]] = []

    async def run(self) -> None:
        """Measures the limits first, each with nothing else at work, then the stack."""
        await self._echo()
        async with own_stack(self.stack) as env:
            await population.make(env.postgres, self.calls * 3)
            each = self.calls // self.concurrency
            for name, script in (("check_in_sql", sql.check_in()), ("dashboard_sql", sql.dashboard())):
                say(f"pgbench: {name}")
                self.figures[name] = await sql.run(
                    env.postgres, script, folder=self.folder, clients=self.concurrency, each=each, first=self.calls * 2
                )
            members, readers = tokens_of(MEMBER, self.stack), tokens_of(READER, self.stack)
            reads = [(readers[n % MEMBERS], GetDashboardRequest().SerializeToString()) for n in range(self.calls)]
            await self._drive("dashboard", plan_for(env, DASHBOARD, self.concurrency, reads))
            rows = self.stack.rows()
            before = processor.spent(rows)
            await self._drive("check_in", plan_for(env, CHECK_IN, self.concurrency, check_ins(members, 0, self.calls)))
            await published(env)
            self.processor = processor.per_call(before, processor.spent(rows), self.calls)
            pid = next(row.pid for row in rows if row.name == "streak")
            say("profile of CheckIn")
            sampled = asyncio.create_task(profile.sample(pid, 5, self.folder))
            calls = check_ins(members, self.calls, self.calls)
            await self._drive("profiled", plan_for(env, CHECK_IN, self.concurrency, calls))
            self.layers = await sampled

    async def _echo(self) -> None:
        say("bare echo")
        (port,) = ports.free()
        server = await asyncio.create_subprocess_exec(sys.executable, "-m", "unora_bench.echo", str(port))
        try:
            await until(lambda: not ports.is_free(port))
            calls = [("", check_in(n)) for n in range(self.calls)]
            await self._drive("echo", Plan(f"127.0.0.1:{port}", echo.METHOD, self.concurrency, calls))
        finally:
            server.kill()
            await server.wait()

    async def _drive(self, name: str, plan: Plan) -> None:
        say(f"{name}: {len(plan.calls)} calls, {plan.concurrency} at once")
        result = await drive(plan, self.folder)
        self.figures[name] = result.rate
        self.figures[f"{name}_p50_ms"], self.figures[f"{name}_p99_ms"] = result.p50_ms, result.p99_ms


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
    with new_folder("bench") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        bench = Bench(folder, options.calls, options.concurrency)
        runner.run(bench.run())
    print(report(bench))
    if options.json:
        options.json.write_text(json.dumps(bench.figures, indent=1))


if __name__ == "__main__":
    main()
