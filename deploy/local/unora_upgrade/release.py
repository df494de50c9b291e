"""A release that can be run: today's, which is this working tree, or an earlier one, built from the history as its
image is built.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError, inherited_environment, output_of
from unora_local.run_folder import CLONE
from unora_tools.schemas import described
from unora_tools.schemas.recorded import FROM

BUILT: Final = "built"
"""A file that says that a release was built to its end."""
# Its consumers, as a list of subjects for each context.
SUBJECTS: Final = """
import json, sys
from unora_common.declarations import consumed_subjects
json.dump(consumed_subjects(sys.argv[1:]), sys.stdout)
"""


@dataclass(frozen=True)
class Release:
    """A release: what runs a module of it."""

    name: str
    run_module: Sequence[str]
    """A command that ends before the name of a module."""
    python: Path

    def command(self, module: str, *words: str) -> list[str]:
        """The command that runs a module, such as `unora_streak`."""
        return [*self.run_module, module, *words]

    async def run(self, module: str, *words: str, env: Mapping[str, str]) -> str:
        """Run a command to its end, and return what it printed. Raises StartFailedError with that if it fails."""
        return await _run(self.command(module, *words), {**inherited_environment(), **env})

    async def subjects(self, contexts: Sequence[str]) -> dict[str, list[str]]:
        """What each context's consumers read."""
        said = await _run([str(self.python), "-c", SUBJECTS, *contexts], inherited_environment())
        return msgspec.json.decode(said, type=dict[str, list[str]])

    async def schemas(self, contexts: Sequence[str]) -> Any:
        """What the tables of each context declare, as `unora_tools.schemas` records it."""
        return msgspec.json.decode(
            await _run([str(self.python), described.__file__, *contexts], inherited_environment())
        )


def todays() -> Release:
    """This working tree."""
    return Release("today", [sys.executable, "-m", "unora_local.as_image"], Path(sys.executable))


async def earlier(into: Path, wanted: str | None = None) -> Release:
    """The release of a commit, by default of the one that FROM names: built in a folder below `into`, unless it is
    there already. Raises Mistake if the history does not have it, and StartFailedError if it cannot be built.
    """
    asked = wanted or FROM.read_text().strip()
    commit = await _commit(asked)
    home = into / commit[:12]
    if not (home / BUILT).exists():
        await _build(commit, home)
    python = home / "unora" / "bin" / "python"
    return Release(commit[:8], [str(python), "-m"], python)


async def _commit(asked: str) -> str:
    """The full id of a commit that this clone has."""
    try:
        return (await _run(["git", "-C", str(CLONE), "rev-parse", "--verify", f"{asked}^{{commit}}"])).strip()
    except FileNotFoundError:
        raise Mistake("the earlier release is built from the history: install git") from None
    except StartFailedError:
        pass
    if not (CLONE / ".git").exists():
        raise Mistake(f"{CLONE} has no history (it is no clone by git), so the release {asked} cannot be built from it")
    raise Mistake(
        f"this clone does not have the commit {asked}, which the earlier release is built from.\n"
        f"If it is shallow, fetch the whole history: git -C {CLONE} fetch --unshallow\n"
        f"else name another commit: in {FROM.relative_to(CLONE)}, or by --from COMMIT"
    )


async def _build(commit: str, home: Path) -> None:
    """As the commit's own Dockerfile does: its locked packages, its generated code, its wheel."""
    shutil.rmtree(home, ignore_errors=True)
    source = home / "source"
    source.mkdir(parents=True)
    archive = home / "source.tar"
    await _run(["git", "-C", str(CLONE), "archive", "--format=tar", f"--output={archive}", commit])
    await _run(["tar", "--extract", f"--file={archive}", f"--directory={source}"])
    archive.unlink()
    tools = str(Path(sys.executable).parent)  # uv, and a Python that makes environments
    # All variables, as a developer's own `make` has them: they say how packages are found.
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "UV_SYSTEM_CERTS": "1"}
    for step in ("dependencies", "unora"):
        await _run(["sh", "deploy/image/build.sh", step, str(home / "unora")], environment, cwd=source)
    shutil.rmtree(source)
    shutil.rmtree(home / "unora.tools")
    (home / BUILT).touch()


async def _run(command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    child = await asyncio.create_subprocess_exec(
        *command,
        env=env,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C in a terminal is for this process, which ends the other
    )
    output = await output_of(child)
    if child.returncode:
        raise StartFailedError(f"{' '.join(command[:4])} … failed:\n{output.decode(errors='replace').strip()}")
    return output.decode()
