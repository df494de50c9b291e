"""Prometheus, which scrapes every process of the stack and judges the rules of deploy/observe (`make up OBSERVE=1`).

It is Debian's, or any other on the PATH: no package index that Python knows carries it.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unora_local.keys import private_folder, write_private
from unora_local.launcher import READY_WITHIN, Launcher, status_of
from unora_local.mistakes import Mistake
from unora_local.process import Process
from unora_local.run_folder import CLONE

RULES: Final = CLONE / "deploy" / "observe" / "rules"
RULES_VARIABLE: Final = "UNORA_PROMETHEUS_RULES"
"""Names another folder of rules, such as one whose windows a test has shortened."""
INTERVAL_VARIABLE: Final = "UNORA_PROMETHEUS_INTERVAL"
"""Names another time between two scrapes."""
INTERVAL: Final = "5s"
RETENTION: Final = "3d"
MISSING: Final = """\
OBSERVE=1 needs Prometheus, and there is no program `prometheus` on the PATH. Debian and Ubuntu have it:
  apt-get install --no-install-recommends prometheus
On Debian that also starts one of its own on port 9090; `systemctl disable --now prometheus` ends it.
Or start Unora without OBSERVE."""
Target = Mapping[str, Any]


def program() -> str:
    """The path of Prometheus. Raises Mistake if this machine has none."""
    found = shutil.which("prometheus")
    if found is None:
        raise Mistake(MISSING)
    return found


class Prometheus(Launcher):
    """A Prometheus that keeps its data in `folder`. Each of its `targets` has the labels `context` and `role`."""

    def __init__(self, folder: Path, *, port: int, targets: Sequence[Target], log: Path) -> None:
        self.folder = folder
        self._port = port
        self.targets = targets
        self._log = log
        self._program = program()

    @property
    def url(self) -> str:
        """Where a browser finds it; it asks for no password, and listens on loopback only."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Write the files, start it, and return when it has read what it kept."""
        config = self._write()
        data = f"--storage.tsdb.path={self.folder / 'data'}"
        listen = f"--web.listen-address=127.0.0.1:{self._port}"
        options = (f"--storage.tsdb.retention.time={RETENTION}", "--log.level=warn")
        command = [self._program, f"--config.file={config}", data, listen, *options]
        await self._launch(Process("prometheus", command, log=self._log))

    def _write(self) -> Path:
        private_folder(self.folder)
        targets, config = self.folder / "targets.json", self.folder / "prometheus.json"
        write_private(targets, json.dumps(self.targets, indent=1).encode())
        interval = os.environ.get(INTERVAL_VARIABLE) or INTERVAL
        rules = Path(os.environ.get(RULES_VARIABLE) or RULES).resolve()
        settings = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": [str(rules / "*.yaml")],
            "scrape_configs": [{"job_name": "unora", "file_sd_configs": [{"files": [str(targets)]}]}],
        }
        write_private(config, json.dumps(settings, indent=1).encode())  # JSON is YAML
        return config

    async def _ready(self, process: Process) -> None:
        await process.wait_until(self._answers, within=READY_WITHIN, every=0.1)

    async def _answers(self) -> bool:
        return await status_of(self._port, "/-/ready") == 200
