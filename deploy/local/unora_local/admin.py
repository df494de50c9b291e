"""Makes a member of a running stack an admin, or takes the role away, by identity's own commands (ID-15)."""

import asyncio

from unora_common.config import CONTEXTS

from unora_local.process import StartFailedError, output_of
from unora_local.run_folder import RunFolder
from unora_local.running import env_of


async def make_admin(folder: RunFolder, user_id: str, *options: str) -> str:
    """Grant the role; return the output of identity, which shows the secret of the second factor. Raises
    StartFailedError with that output if it fails.
    """
    return await _run(folder, "make-admin", user_id, *options)


async def revoke_admin(folder: RunFolder, user_id: str) -> str:
    """Take the role away; return the output of identity. Raises as `make_admin`."""
    return await _run(folder, "revoke-admin", user_id)


def secret_in(said: str) -> str:
    """The secret of the second factor that `make_admin` shows. Raises StartFailedError if it shows none."""
    for line in said.splitlines():
        if line.split()[:1] == ["secret"]:
            return line.split()[1]
    raise StartFailedError(f"make-admin showed no secret: {said}")


async def _run(folder: RunFolder, *command: str) -> str:
    # The whole stack is slow to import, and each command at the keyboard loads this module.
    from unora_local.layout import Layout
    from unora_local.services import environment, module

    env_of(folder)
    backing = Layout(folder, CONTEXTS, running=True).backing
    variables = await asyncio.to_thread(environment, "identity", backing)  # it loads the service
    child = await asyncio.create_subprocess_exec(
        *module("identity"),
        *command,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text = (await output_of(child)).decode().strip()
    if child.returncode:
        raise StartFailedError(text)
    return text
