"""Custom resources by the models that npm carries: cert-manager, External Secrets, Gateway API, KEDA, and those of the
Prometheus Operator. `tools/kubernetes-models` holds them; without node, or before `npm ci` there, they cannot be asked.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from unora_tools.kubernetes.render import Object

FOLDER: Final = Path(__file__).resolve().parents[2] / "kubernetes-models"
INSTALL: Final = "npm --prefix tools/kubernetes-models ci --ignore-scripts"


class Checked(NamedTuple):
    """What the models say of some objects."""

    faults: list[str]
    checked: dict[str, int]
    """How many objects each package of models checked."""
    unknown: dict[str, int]
    """How many objects of each kind no model knows."""


def missing() -> str:
    """Why the models cannot be asked, with what to do; empty if they can."""
    if shutil.which("node") is None:
        return f"install node, then run `{INSTALL}` once"
    if not (FOLDER / "node_modules" / "typescript").exists():
        return f"run `{INSTALL}` once"
    return ""


def check(objects: Iterable[Object]) -> Checked:
    """What the models say. Raises RuntimeError with the checker's own words if it fails."""
    given = json.dumps(list(objects))
    done = subprocess.run(["node", str(FOLDER / "check.js")], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{FOLDER / 'check.js'} failed: {done.stderr.strip()[-2000:]}")
    return Checked(**json.loads(done.stdout))
