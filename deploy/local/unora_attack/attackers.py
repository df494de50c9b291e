"""Attackers, in a process of their own: each attack is bounded in time, in calls at once, and in calls.

`python -m unora_attack.attackers FILE` plays what the file says, and prints what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from unora_attack import floods, pictures, silence
from unora_attack.orders import Orders, Tally

ATTACKS: Final[dict[str, Callable[[Orders], Coroutine[Any, Any, Tally]]]] = {
    "completions": pictures.complete_at_once,
    "hostile picture": pictures.upload_and_complete,
    "cheap calls": floods.cheap_calls,
    "empty streams": floods.empty_streams,
    "forged tokens": floods.forged_tokens,
    "calls without a member": floods.calls_without_a_member,
    "silent connections": silence.silent_connections,
    "check-ins": floods.check_ins,
}


if __name__ == "__main__":
    orders = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Orders)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(msgspec.json.encode(runner.run(ATTACKS[orders.attack](orders))).decode())
