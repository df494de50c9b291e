"""`calls`: what members call most, through the full stack, each beside its limit of the same run.

A stack of its own is started, on the settings of `make up` (fsync on), and erased afterwards. The limit is
L = 1/(1/echo + 1/sql): the rate of a service that is only gRPC and its SQL, one after the other. echo is bare gRPC
without TLS, so what TLS takes counts as a loss; `echo over mutual TLS` shows how much that is.
"""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local.env import Env
from unora_local.run_folder import RunFolder

from unora_bench import call_rows, echo, population, processor, profile, sql
from unora_bench.call_subjects import CHECK_IN, DASHBOARD, REFRESHES, SUBJECTS, Subject, check_in, check_ins
from unora_bench.driver import Result
from unora_bench.driving import drive, plan_for, tokens_of
from unora_bench.figures import Figure, Group
from unora_bench.population import MEMBER, MEMBERS, READER
from unora_bench.run import Run
from unora_bench.stack import new_folder, own_stack, say

WARM_UP: Final = 20
"""Calls for each of those at once, before a measurement: connections are opened, statements planned."""
PROFILED_SECONDS: Final = 4


async def measure(run: Run) -> None:
    """Measures the limit of gRPC with nothing else at work, then a stack: for each call its SQL, and then itself."""
    with new_folder("calls") as stack:
        bare = await _echo(run, "bare grpc.aio echo", None)
        async with own_stack(stack) as env:
            await population.make(env.postgres, run.calls * 4)
            refreshes = max(run.calls // REFRESHES, run.concurrency)
            await call_rows.make(
                env.postgres,
                holders=call_rows.holders_for(run.calls * 3),
                refreshers=refreshes * 3,
                pairs=run.calls * 3,
            )
            await _echo(run, "echo over mutual TLS", env)
            for subject in SUBJECTS:
                await _measure(run, subject, env, stack, bare)
            await _profile(run, env, stack)


async def _measure(run: Run, subject: Subject, env: Env, stack: RunFolder, bare: float) -> None:
    count = max(run.calls // subject.weight, run.concurrency)
    members = subject.members(count)
    tokens = tokens_of(subject.kind, stack, members)
    warm_up = range(count, count + min(count, WARM_UP * run.concurrency))
    await drive(plan_for(env, subject.method, run.concurrency, subject.calls(tokens, warm_up)), run.folder)
    await _at_rest(env, stack)
    limit: float | None = None
    async with run.watched() as noise:
        if subject.script:
            say(f"pgbench: {subject.name}")
            each = count // run.concurrency
            script, clients = subject.script(members), run.concurrency
            found = await sql.run(env.postgres, script, folder=run.folder, clients=clients, each=each, first=count * 2)
            limit = 1 / (1 / bare + 1 / found)
            await _at_rest(env, stack)
        plan = plan_for(env, subject.method, run.concurrency, subject.calls(tokens, range(count)))
        rows = stack.rows()
        before = processor.spent(rows)
        say(f"{subject.name}: {count} calls, {run.concurrency} at once")
        result = await drive(plan, run.folder)
        await processor.at_rest(rows)
        spent = processor.per_call(before, processor.spent(rows), count)
    if subject.script:
        run.add(Figure(group=Group.CALLS, name=f"pgbench {subject.name}", value=found, unit="/s", noise=noise.value))
    _add(run, subject.name, result, noise.value, limit, subject.aim_share)
    for name, microseconds in spent:
        if name in (subject.context, "postgres"):
            run.add(_processor(subject, name, microseconds, noise.value))
    run.notes[f"{subject.name}: µs of processor time a call, with all that follows from its events"] = dict(spent)


async def _at_rest(env: Env, stack: RunFolder) -> None:
    """Waits until nothing of the last calls is left to do, and lets Postgres count the rows that they made, as it does
    by itself within a minute: until then it plans for empty tables.
    """
    await processor.at_rest(stack.rows())
    connection = await asyncpg.connect(env.postgres)
    await connection.execute("ANALYZE")
    await connection.close()


def _add(
    run: Run, name: str, result: Result, noise: float, limit: float | None = None, aim_share: float | None = None
) -> None:
    run.add(
        Figure(
            group=Group.CALLS,
            name=name,
            value=result.rate,
            unit="/s",
            limit=limit,
            limit_name="1/(1/echo + 1/sql)" if limit else "",
            aim_share=aim_share,
            noise=noise,
        )
    )
    run.add(Figure(group=Group.CALLS, name=f"{name} p50", value=result.p50_ms, unit="ms", noise=noise))
    run.add(Figure(group=Group.CALLS, name=f"{name} p99", value=result.p99_ms, unit="ms", noise=noise))


async def _echo(run: Run, name: str, env: Env | None) -> float:
    """The rate of the echo, with the certificates of a stack or bare."""
    say(name)
    calls = [("", check_in(n)) for n in range(run.calls)]
    async with run.watched() as noise, echo.server(env) as port:
        result = await drive(echo.plan(port, run.concurrency, calls, env), run.folder)
    _add(run, name, result, noise.value)
    return result.rate


async def _profile(run: Run, env: Env, stack: RunFolder) -> None:
    """Where the time of streak goes during CheckIn and GetDashboard."""
    pid = next(row.pid for row in stack.rows() if row.name == "streak")
    checks = check_ins(tokens_of(MEMBER, stack), run.calls * 3, run.calls)
    readers = tokens_of(READER, stack)
    reads = [(readers[n % MEMBERS], GetDashboardRequest().SerializeToString()) for n in range(run.calls)]
    for method, calls in ((CHECK_IN, checks), (DASHBOARD, reads)):
        name = method.rpartition("/")[2]
        say(f"profile of {name}")
        sampled = asyncio.create_task(profile.sample(pid, PROFILED_SECONDS, run.folder))
        await drive(plan_for(env, method, run.concurrency, calls), run.folder)
        run.notes[f"{name}: where the service's time goes"] = dict(await sampled)


def _processor(subject: Subject, process: str, microseconds: float, noise: float) -> Figure:
    name = f"{subject.name} processor time of {process}"
    return Figure(group=Group.CALLS, name=name, value=microseconds, unit="µs", noise=noise)
