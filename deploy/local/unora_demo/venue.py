"""Where the story is played: a stack that runs, and what the story needs of it besides its addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from unora_local.admin import make_admin
from unora_local.env import Env
from unora_local.run_folder import RunFolder
from unora_local.sms_box import SmsBox

from unora_demo.notifier import Notifier, notifying

FILE: Final = "demo.json"


@asynccontextmanager
async def without_notifier() -> AsyncIterator[None]:
    """For a stack beside which no notifier can run."""
    yield


@dataclass(frozen=True, kw_only=True)
class Venue:
    """A stack that is ready."""

    env: Env
    report: Path
    """The file that the report is written to."""
    box: SmsBox
    make_admin: Callable[[str], Awaitable[str]]
    """Grants a member the role, by their id; returns what identity's command says, with the secret (ID-15)."""
    notifying: Callable[[], AbstractAsyncContextManager[Notifier | None]] = without_notifier
    """The example notifier runs beside the stack inside of this block."""


def on_this_machine(folder: RunFolder) -> Venue:
    """The stack that runs in this folder."""
    env = Env.read(folder.env)
    return Venue(
        env=env,
        report=folder.path / FILE,
        box=SmsBox(env.sms_sandbox),
        make_admin=partial(make_admin, folder),
        notifying=partial(notifying, folder),
    )
