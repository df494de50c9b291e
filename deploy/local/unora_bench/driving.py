"""Makes calls of a stack from a process of its own, as members whose tokens the stack accepts."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
from unora_common.ids import uuid7
from unora_identity.providers.access_tokens import AccessTokens
from unora_local.env import Env
from unora_local.run_folder import RunFolder

from unora_bench.driver import Call, Plan, Result
from unora_bench.population import MEMBERS, Kind


def tokens_of(kind: Kind, folder: RunFolder, count: int = MEMBERS) -> list[str]:
    """A token of each of the first `count` members of a kind, signed with the key of the stack in `folder`."""
    tokens = AccessTokens([(folder.path / "keys" / "token.pem").read_text()])
    return [tokens.sign(user_id=kind.id(n), session_id=uuid7()).text for n in range(count)]


def plan_for(env: Env, method: str, concurrency: int, calls: list[Call]) -> Plan:
    """What the driver needs to call the context that the method belongs to."""
    ca, cert, key = (env.values[f"UNORA_TLS_{name}"] for name in ("CA", "CERT", "KEY"))
    context = method.split(".")[1]
    return Plan(env.address(context), method, concurrency, calls, ca, cert, key, f"{context}.unora")


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
