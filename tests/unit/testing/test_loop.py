"""A test run ends, and says what was left open."""

from __future__ import annotations

import subprocess
import sys

from unora_testing.deadlines import GENEROUS

LEAK = """
import asyncio
from unora_testing.loop import Loop

async def leave_open():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    return server, await asyncio.open_connection(*server.sockets[0].getsockname())

with asyncio.Runner(loop_factory=Loop) as runner:
    left = runner.run(leave_open())
"""


def test_a_run_ends_with_an_error_although_a_fixture_left_a_connection_open() -> None:
    """As after a fixture that fails before it closes what it opened. Warnings are errors, as in all tests."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LEAK], capture_output=True, text=True, timeout=GENEROUS, check=False
    )
    assert done.returncode == 1
    assert "ResourceWarning: unclosed resource <TCP" in done.stderr
