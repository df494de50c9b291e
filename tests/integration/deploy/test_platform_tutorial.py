"""The tutorial of the platform's team: its commands from the overlay of one's own on, as they stand on the page.

Images are built by their own tests, and `make k8s` of all overlays is what the tests beside this one look at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from unora_tools.kubernetes.models import missing

from tests.pages import section, steps

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "tutorial-platform.md"
PARTS = ("2. An overlay of your own", "3. Images by their digests", "4. Is it right?", "5. Secrets")
WITHIN = 300.0


@pytest.fixture
def name() -> Iterator[str]:
    """The overlay that the page calls `mine`: of this test alone, and gone afterwards."""
    name = f"mine-{os.getpid()}"
    yield name
    shutil.rmtree(ROOT / "deploy" / "k8s" / "overlays" / name, ignore_errors=True)
    shutil.rmtree(ROOT / ".compose" / name, ignore_errors=True)


def run(commands: str) -> str:
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", commands],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.skipif(bool(missing()), reason=f"the models of custom resources: {missing()}")
def test_its_commands_lead_to_a_validated_overlay_with_secrets(name: str) -> None:
    told = {}
    for part in PARTS:
        commands = "\n".join(step.commands for step in steps(section(PAGE, part)))
        told[part] = run(
            commands.replace("overlays/mine", f"overlays/{name}")
            .replace("=mine", f"={name}")
            .replace(".compose/mine", f".compose/{name}")
        )
    overlay = ROOT / "deploy" / "k8s" / "overlays" / name
    deployed = yaml.safe_load((overlay / "deployed" / "kustomization.yaml").read_text())
    assert all(image["digest"].startswith("sha256:") for image in deployed["images"])
    assert "0 faults" in told["4. Is it right?"]
    assert (ROOT / ".compose" / name / "identity-secrets" / "phone.key").exists()
