"""promtool, which judges rules and expressions as Prometheus does."""

from __future__ import annotations

import shutil
import subprocess

import pytest

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="needs promtool: apt-get install --no-install-recommends prometheus",
)


def promtool(*arguments: str) -> str:
    """What it prints; an AssertionError with that if it found a fault."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
