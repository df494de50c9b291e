"""Makes a member of a running stack an admin, by identity's own command."""

import asyncio

from unora_common.config import CONTEXTS

from unora_local.layout import Layout
from unora_local.process import StartFailedError
from unora_local.run_folder import RunFolder
from unora_local.services import environment, module


class NotReadyError(RuntimeError):
    """The stack does not run, or is not ready."""


async def make_admin(folder: RunFolder, user_id: str) -> str:
    """Grant the role; return the output of identity. Raises StartFailedError with that output if it fails."""
    if not folder.env.exists():
        raise NotReadyError("Unora does not run; `make up` starts it")
    backing = Layout(folder, CONTEXTS, running=True).backing
    child = await asyncio.create_subprocess_exec(
        *module("identity"),
        "make-admin",
        user_id,
        env=environment("identity", backing),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    text = output.decode().strip()
    if child.returncode:
        raise StartFailedError(text)
    return text.splitlines()[-1]
