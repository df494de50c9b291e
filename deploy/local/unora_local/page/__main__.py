"""`python -m unora_local.page FOLDER PORT`: the bridge of the stack that runs in a folder."""

import asyncio
import signal
import sys
from pathlib import Path

from unora_local.page.server import serve
from unora_local.page.stack import RunningStack
from unora_local.run_folder import RunFolder


async def main(folder: str, port: str) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(RunningStack.of(RunFolder(Path(folder))), int(port)):
        await stop.wait()


asyncio.run(main(*sys.argv[1:]))
