"""checkov on the rendered prod overlay. It has a virtual environment of its own, since its pins fit no other's."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml

from unora_tools.kubernetes.render import FOLDER, rendered

ROOT: Final = FOLDER.parents[1]
CHECKOV: Final = ROOT / ".venv-checkov" / "bin" / "checkov"
SUPPRESSED: Final = FOLDER / "checkov.yaml"
OVERLAY: Final = "prod"


def missing() -> str:
    """Why checkov cannot be asked, with what to do; empty if it can."""
    return "" if CHECKOV.exists() else "run `make k8s` once, which installs it"


def suppressed() -> dict[str, str]:
    """The checks that are left out, each with its reason."""
    found: dict[str, str] = yaml.safe_load(SUPPRESSED.read_text())["suppressed"]
    return found


def check(overlay: str = OVERLAY) -> tuple[int, list[str]]:
    """How many checks passed, and those that failed, in words. Raises RuntimeError if checkov itself fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "overlay.yaml"
        file.write_text(yaml.safe_dump_all(rendered(overlay)))
        words = ["--framework", "kubernetes", "--output", "json", "--quiet", "--skip-download", "--soft-fail"]
        skipped = ["--skip-check", ",".join(suppressed())]
        done = subprocess.run(
            [str(CHECKOV), "--file", str(file), *words, *skipped], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"checkov failed: {done.stderr.strip()[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    failed = [
        f"checkov: {each['check_id']} {each['check_name']}: {each['resource']}"
        for each in answer["results"]["failed_checks"]
    ]
    return int(answer["summary"]["passed"]), failed


def report(overlay: str = OVERLAY) -> list[str]:
    """What checkov finds in an overlay; prints what it checked, and what it was told to leave out."""
    if why := missing():
        print(f"k8s: checkov was not asked: {why}")
        return []
    passed, failed = check(overlay)
    print(f"k8s: checkov on {overlay}: {passed} checks passed, {len(failed)} failed")
    for name, reason in suppressed().items():
        print(f"k8s:   left out: {name}: {' '.join(reason.split())}")
    return failed
