"""`python -m unora_bench.sign_ins`: StartPhoneVerification and VerifyPhone through the full stack (ID-02, ID-11).

Each number is asked for one code, by a device that no account knows, and its first sign-in makes the account. So a code
counts against budgets in which all earlier ones are found: the last figure is what that count alone costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Final

import asyncpg
import uvloop
from unora.identity.v1.account_service_pb2 import StartPhoneVerificationRequest, VerifyPhoneRequest
from unora_common.batching import Write, combine
from unora_common.ids import uuid7
from unora_common.outbox import Outbox
from unora_identity.store import accounts, challenges, code_budgets, members, sessions, wrong_codes
from unora_local.env import Env
from unora_local.run_folder import RunFolder

from unora_bench import processor, sql
from unora_bench.driver import Call, Plan
from unora_bench.driving import drive
from unora_bench.population import Kind
from unora_bench.sql import BYTES, UUID_NEW, statement
from unora_bench.stack import new_folder, own_stack, say

START: Final = "/unora.identity.v1.AccountService/StartPhoneVerification"
VERIFY: Final = "/unora.identity.v1.AccountService/VerifyPhone"
CHALLENGE: Final = Kind("00000000-0000-7000-c000-")
CHALLENGES: Final = """
    INSERT INTO identity.phone_challenges (
        id, request_id, phone_hash, phone_hashes, code_hash, issued_at, expires_at, sent_at, new_user_id, phone_sealed,
        data_key)
    SELECT id, id, hash, ARRAY[hash], hash, clock.now(), clock.now() + interval '1 hour', clock.now(),
        gen_random_uuid(), hash, hash
    FROM unnest($1::uuid[]) AS made (id), sha256(uuid_send(id)) AS hash"""
BUDGETS: Final = (300, 1_000, 10_000, 100_000)


def verify_phone() -> str:
    """What VerifyPhone does for a new number: begin, lock, wrong codes, account, session, events, commit."""
    challenge, user, session = CHALLENGE.sql(":k::int"), CHALLENGE.sql(":k::int"), CHALLENGE.sql(":k::int")
    phone, later = f"sha256(uuid_send({challenge}))", "clock.now() + interval '30 days'"
    statements = [
        (challenges.LOCK, [challenge]),
        (wrong_codes.COUNT, [phone, "NULL::bytea", "clock.now() - interval '1 day'"]),
        (accounts.LOCK_BY_PHONE, [f"ARRAY[{phone}]"]),
        (accounts.CREATE, [user, phone, phone, phone, "clock.now()"]),
        (sessions.OPEN, [session, user, "clock.now()", "NULL", "NULL"]),
        (sessions.ADD, [phone, session, "clock.now()", later]),
        (challenges.USE, [challenge, "clock.now()", UUID_NEW, session, "true"]),
        (members.SAVE_VERSIONS, [f"ARRAY[{user}]", "ARRAY[2::bigint]", "ARRAY[NULL::bigint]"]),
        (accounts.ROLES, [user]),
    ]
    payload = BYTES.format(size=80)
    events = combine(
        [
            Write(
                Outbox("identity").sql,
                (
                    f"ARRAY[{UUID_NEW}, {UUID_NEW}]",
                    f"ARRAY[{user}, {user}]",
                    "ARRAY[1::bigint, 2]",
                    "ARRAY['unora.identity.v1.account_created', 'unora.identity.v1.session_opened']",
                    f"ARRAY[{payload}, {payload}]",
                    "ARRAY[clock.now(), clock.now()]",
                    "repeat('t', 55)",
                ),
            )
        ]
    )
    body = "".join(statement(text, values) for text, values in statements)
    return sql.NEXT + "BEGIN;\n" + body + statement(events.sql, events.arguments) + "COMMIT;\n"


async def measure(folder: RunFolder, count: int, concurrency: int) -> dict[str, float]:
    """Calls a second and processor time a call by method, transactions with the statements of VerifyPhone a second, and
    milliseconds of a count by budget.
    """
    figures: dict[str, float] = {}
    numbers = {str(uuid7()): f"+49151{number:08}" for number in range(count)}
    async with own_stack(folder) as env:
        starts = [("", _start(request, number)) for request, number in numbers.items()]
        for name, method, calls in (("start", START, starts), ("verify", VERIFY, None)):
            say(f"{name}: {count} calls, {concurrency} at once")
            made = calls if calls is not None else await _answers(env, numbers)
            before = processor.spent(folder.rows())
            result = await drive(_plan(env, method, concurrency, made), folder.path.parent)
            figures |= {name: result.rate, f"{name}_p50_ms": result.p50_ms, f"{name}_p99_ms": result.p99_ms}
            used = processor.per_call(before, processor.spent(folder.rows()), count)
            figures |= {f"{name}_processor_us_{part}": microseconds for part, microseconds in used}
        connection = await asyncpg.connect(env.postgres)
        try:
            await connection.execute(CHALLENGES, [CHALLENGE.id(number) for number in range(count)])
            await connection.execute("ANALYZE identity.phone_challenges")
            say("pgbench: verify_sql")
            figures["verify_sql"] = await sql.run(
                env.postgres, verify_phone(), folder=folder.path.parent, clients=concurrency, each=count // concurrency
            )
            for budget in BUDGETS:
                figures[f"count_{budget}_ms"] = await _count(connection, budget)
        finally:
            await connection.close()
    return figures


def _start(request: str, number: str) -> bytes:
    asked = StartPhoneVerificationRequest(request_id=request, phone_number=number, device_id=f"device of {number}")
    return asked.SerializeToString()


async def _answers(env: Env, numbers: dict[str, str]) -> list[Call]:
    """The calls that send the codes back."""
    lines = [json.loads(line) for line in env.sms_sandbox.read_text().splitlines()]
    codes = {line["to"]: line["code"] for line in lines}
    connection = await asyncpg.connect(env.postgres)
    rows = await connection.fetch("SELECT id, request_id FROM identity.phone_challenges")
    await connection.close()
    return [
        (
            "",
            VerifyPhoneRequest(
                request_id=str(uuid7()),
                challenge_id=str(row["id"]),
                code=codes[numbers[str(row["request_id"])]],
                device_id=f"device of {numbers[str(row['request_id'])]}",
            ).SerializeToString(),
        )
        for row in rows
    ]


def _plan(env: Env, method: str, concurrency: int, calls: list[Call]) -> Plan:
    ca, cert, key = (env.values[f"UNORA_TLS_{name}"] for name in ("CA", "CERT", "KEY"))
    return Plan(env.address("identity"), method, concurrency, calls, ca, cert, key, "identity.unora")


async def _count(connection: asyncpg.Connection[asyncpg.Record], budget: int) -> float:
    """Milliseconds of the count when as many codes were sent as the budgets of a country and overall allow."""
    transaction = connection.transaction()
    await transaction.start()
    missing = budget - await connection.fetchval("SELECT count(*) FROM identity.code_spending")
    if missing > 0:
        made = await connection.fetch("SELECT gen_random_uuid() AS id FROM generate_series(1, $1)", missing)
        await connection.execute(CHALLENGES, [row["id"] for row in made])
        await connection.execute(
            """INSERT INTO identity.code_spending (challenge_id, issued_at, device_digest, address_digest, calling_code)
            SELECT id, clock.now() - random() * interval '59 minutes', sha256(uuid_send(id)), NULL, 49
            FROM unnest($1::uuid[]) AS made (id)""",
            [row["id"] for row in made],
        )
    await connection.execute("ANALYZE identity.code_spending, identity.code_totals")
    since = await connection.fetchval("SELECT clock.now() - interval '1 hour'")
    asked = (b"d" * 32, b"a" * 32, 49, since, 10, 30, budget, budget)
    spent = []
    for _ in range(12):
        started = time.perf_counter()
        await connection.fetchrow(code_budgets.COUNT, *asked)
        spent.append((time.perf_counter() - started) * 1000)
    await transaction.rollback()
    return sorted(spent)[len(spent) // 2]


def main() -> None:
    """Parses the command line, measures, and prints the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m unora_bench.sign_ins", description=__doc__)
    parser.add_argument("--calls", type=int, default=5_000, help="calls of each method")
    parser.add_argument("--concurrency", type=int, default=32, help="calls at once, 40 at the most")
    options = parser.parse_args()
    with new_folder("sign-ins") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(measure(folder, options.calls, options.concurrency))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
