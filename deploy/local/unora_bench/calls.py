"""Calls of streak for a measurement, and the driver that makes them in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_HIGH, CheckInRequest
from unora_common.ids import uuid7
from unora_identity.providers.access_tokens import AccessTokens
from unora_local.env import Env
from unora_local.run_folder import RunFolder

from unora_bench.driver import Call, Plan, Result
from unora_bench.population import MEMBERS, STREAK, Kind

CHECK_IN: Final = "/unora.streak.v1.StreakService/CheckIn"
DASHBOARD: Final = "/unora.streak.v1.StreakService/GetDashboard"


def tokens_of(kind: Kind, folder: RunFolder) -> list[str]:
    """A token of each of MEMBERS, signed with the key of the stack in `folder`."""
    tokens = AccessTokens([(folder.path / "keys" / "token.pem").read_text()])
    return [tokens.sign(user_id=kind.id(n), session_id=uuid7()).text for n in range(MEMBERS)]


def check_ins(tokens: list[str], first: int, count: int) -> list[Call]:
    """One check-in of each streak from the number `first` on."""
    return [(tokens[n % MEMBERS], check_in(n)) for n in range(first, first + count)]


def check_in(number: int) -> bytes:
    """A check-in of the streak with this number."""
    request = CheckInRequest(
        request_id=str(uuid7()), streak_id=str(STREAK.id(number)), effort_signal=EFFORT_SIGNAL_HIGH
    )
    return request.SerializeToString()


def plan_for(env: Env, method: str, concurrency: int, calls: list[Call]) -> Plan:
    """What the driver needs to call streak."""
    ca, cert, key = (env.values[f"UNORA_TLS_{name}"] for name in ("CA", "CERT", "KEY"))
    return Plan(env.address("streak"), method, concurrency, calls, ca, cert, key, "streak.unora")


async def drive(plan: Plan, folder: Path) -> Result:
    """Makes all calls of a plan. Raises RuntimeError if one is refused."""
    file = folder / "plan.msgpack"
    file.write_bytes(msgspec.msgpack.encode(plan))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "unora_bench.driver", str(file)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    result = msgspec.json.decode(output, type=Result)
    if result.errors:
        raise RuntimeError(f"calls of {plan.method} failed: {result.errors}")
    return result


async def published(env: Env) -> None:
    """Waits until the events of the calls are published, so that they do not disturb the next measurement."""
    connection = await asyncpg.connect(env.postgres)
    for _ in range(300):
        if not await connection.fetchval("SELECT 1 FROM streak.outbox WHERE published_at IS NULL LIMIT 1"):
            break
        await asyncio.sleep(0.2)
    await connection.close()
