"""The folder of `make compose-test`, and what an earlier run may have left of its containers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from unora_local.keys import private_folder
from unora_local.mistakes import Mistake
from unora_local.run_folder import CLONE, LOCK, Lock

DEFAULT: Final = CLONE / ".run" / "compose-test"
CGROUP: Final = "unora-compose-test"
"""The parent of the control groups of the containers of an engine of its own."""
CGROUPS: Final = Path("/sys/fs/cgroup")


class Home:
    """What is kept from run to run is named first; the rest is made anew."""

    def __init__(self, path: Path = DEFAULT) -> None:
        self.path = path.resolve()
        self.debian = self.path / "debian"
        """A file system of Debian with dockerd and Postgres."""
        self.storage = self.path / "images"
        """Where buildah keeps the layers of images."""
        self.archives = self.path / "archives"
        """Images on their way from buildah to docker."""
        self.project = self.path / "project"
        """What docker compose takes for the folder of docker-compose.yml: it has `.compose`."""
        self.logs = self.path / "logs"

    @property
    def files(self) -> Path:
        """Where `make compose-files` writes; never the developer's folder."""
        return self.project / ".compose"

    @property
    def docker_data(self) -> Path:
        """Images, containers and volumes of an engine of its own."""
        return self.debian / "var" / "lib" / "docker"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nobody else uses the folder inside of this block. Raises Mistake if somebody does."""
        lock = Lock(self.path / LOCK)
        if not lock.acquire():
            raise Mistake(f"another compose-test runs in {self.path}: wait until it has ended")
        with lock:
            self.clean()
            private_folder(self.logs)
            try:
                yield
            finally:
                self.clean(keep_logs=True)

    def clean(self, *, keep_logs: bool = False) -> None:
        """Remove what belongs to one run only. Processes, mounts and networks of a run have ended with it."""
        for folder in (self.project, self.archives, self.docker_data, *(() if keep_logs else (self.logs,))):
            shutil.rmtree(folder, ignore_errors=True)
        remove_control_groups()


def remove_control_groups(root: Path = CGROUPS) -> None:
    """Remove the control groups of containers that have ended: a killed engine leaves them, without processes."""
    for parent in (root / CGROUP, *root.glob(f"*/{CGROUP}")):
        folders = [each for each in parent.rglob("*") if each.is_dir()]
        for folder in (*sorted(folders, reverse=True), parent):
            with suppress(OSError):  # not there, or a process runs in it still
                folder.rmdir()
