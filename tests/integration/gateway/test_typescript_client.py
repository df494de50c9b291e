"""The TypeScript client, generated from the document: it compiles, and signs in over a real gateway."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest
from unora_local.tls import FRONT
from unora_testing.deadlines import GENEROUS
from unora_testing.gateway import Door
from unora_testing.world import World

CLIENT = Path(__file__).resolve().parents[3] / "clients" / "typescript"
INSTALLED = shutil.which("node") is not None and (CLIENT / "node_modules" / "openapi-typescript").exists()
SLOW = 5 * GENEROUS
"""Seconds for the compiler on a busy machine."""
pytestmark = pytest.mark.skipif(
    not INSTALLED, reason="the client cannot be compiled here: install node and npm, then run `make client` once"
)


async def run(*command: str, **environment: str) -> str:
    """The output of a command in the client's folder, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=CLIENT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), SLOW)
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_the_client_compiles_and_signs_in(world: World, world_door: Door) -> None:
    await run("npm", "run", "build")
    said = await run(
        *("node", "dist/test/sign-in.js", "+14155550177"),
        UNORA_GATEWAY_URL=world_door.url,
        UNORA_SMS_SANDBOX=str(world.sms),
        NODE_EXTRA_CA_CERTS=str(world.certificates[FRONT].ca),
    )
    seen = json.loads(said)
    assert seen["account"]["user_id"] == seen["user_id"]
    assert (seen["account"]["discovery_ready"], seen["account"]["tier"]) == (False, "TIER_FREE")
    assert [each["joined"] for each in seen["servers"]] == [False, False, False]
    assert seen["retries"] == {"tries_left": "4"}


async def test_the_document_passes_the_linter() -> None:
    assert "is valid" in await run("npm", "run", "lint-openapi")
