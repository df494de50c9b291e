"""How a run ends: its exit status, and what is said."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import asyncpg
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_local.stopping import EXIT_INTERRUPTED, stopped_first

from unora_compose.engines import CannotRun, not_run


def outcome(work: Coroutine[Any, Any, bool | int], ends: str) -> int:
    """Do the work, which returns whether all is well, or an exit status. 0 too if no engine can run here, and that is
    said; 130 after Ctrl-C, when `ends` says what ends meanwhile.
    """
    try:
        return asyncio.run(_until_told_to_stop(work, ends))
    except CannotRun as error:
        print(f"\n{not_run([str(error)])}", file=sys.stderr)
        return 0
    except (Mistake, StartFailedError, OSError, asyncpg.PostgresError) as error:
        print(f"\nthe journey could not be played on docker-compose.yml: {error}", file=sys.stderr)
        return 1


async def _until_told_to_stop(work: Coroutine[Any, Any, bool | int], ends: str) -> int:
    running = asyncio.ensure_future(work)
    if await stopped_first(running, lambda: print(f"\nstopped; {ends}", file=sys.stderr)):
        return EXIT_INTERRUPTED
    result = running.result()
    return (0 if result else 1) if isinstance(result, bool) else result
