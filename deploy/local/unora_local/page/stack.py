"""The stack that the bridge belongs to: its folder, its addresses, and where its pictures go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unora_common.config import CONTEXTS

from unora_local.env import Env
from unora_local.keyboard.people import People
from unora_local.layout import Layout
from unora_local.run_folder import RunFolder


@dataclass(frozen=True)
class RunningStack:
    """What the handlers know of the stack."""

    folder: RunFolder
    env: Env
    object_store: str
    """Scheme, host and port."""

    @classmethod
    def of(cls, folder: RunFolder) -> Self:
        """The stack of a folder, also while it still starts: the file of its addresses is not there yet."""
        layout = Layout(folder, CONTEXTS, running=True)
        return cls(folder, Env(layout.published()), layout.seaweed.endpoint)

    @property
    def people(self) -> People:
        """Those whose logins are known."""
        return People(self.folder.path)
