"""Which engine runs docker-compose.yml: the docker of this machine, or one of its own made of Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from unora_local.mistakes import Mistake

LEAST_COMPOSE: Final = (2, 24, 4)
"""The first version that knows `!override`, by which deploy/compose/journey.yml replaces ports."""
ANSWERS_WITHIN: Final = 30.0
CONTAINED: Final = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Runs a command whose mounts and processes end with it, however it ends: the kernel sees to that."""
PACKAGES: Final = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "debootstrap": "debootstrap",
    "buildah": "buildah",
}
"""The programs that an engine of its own needs on this machine, and Debian's packages that have them."""


class CannotRun(Mistake):
    """No engine can run here. That is no fault of docker-compose.yml: nothing was tried."""


def why_not_docker() -> str:
    """What keeps the docker of this machine from running docker-compose.yml, as a clause; "" if nothing does."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    if said := _said("docker", "info", "--format", "{{.ServerVersion}}")[1]:
        return f"docker does not work: {said}"
    version, said = _said("docker", "compose", "version", "--short")
    if said:
        return f"docker has no compose: {said}"
    return too_old(version)


def too_old(version: str) -> str:
    """Why a version of compose does not do, such as `v2.20.1`; "" if it does."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers >= LEAST_COMPOSE:
        return ""
    return f"docker compose is {version.strip()}, and at least {'.'.join(map(str, LEAST_COMPOSE))} is needed"


def why_no_engine_of_its_own() -> str:
    """What keeps an engine of Debian's packages from running here, and how to get it; "" if nothing is known to."""
    if sys.platform != "linux":
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root, since it makes namespaces, mounts and networks"
    missing = [name for name in PACKAGES if shutil.which(name) is None]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES[name] for name in missing))
        return f"it needs {' and '.join(missing)} (Debian: apt-get install {packages})"
    if said := _said(*CONTAINED, "--net", "true")[1]:
        return f"it may make no namespaces: {said}"
    return ""


def not_run(reasons: Sequence[str]) -> str:
    """What is said where no engine can run."""
    return (
        f"compose-test: not run, since no container engine can run here. {' '.join(f'{each}.' for each in reasons)} "
        "Install docker with compose, or run this as root on Debian with debootstrap and buildah: docs/compose.md"
    )


def _said(*command: str) -> tuple[str, str]:
    """What a command printed, and what it says if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWERS_WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    if done.returncode == 0:
        return done.stdout.strip(), ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return "", lines[-1] if lines else f"exit status {done.returncode}"
