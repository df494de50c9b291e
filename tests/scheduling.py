"""Which tests run one after the other in the same worker: those of a file, and those of a folder that share a stack."""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadFileScheduling

TOGETHER: Final = ("tests/e2e/page/",)
"""Folders whose files share what takes long to start: in several workers each would start it. Each is a package, so
that pytest ends what they share with their last test.
"""


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each worker whole files, and whole folders of TOGETHER."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """The file or the folder whose tests stay together with this one."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::", 1)[0])
