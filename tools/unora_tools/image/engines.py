"""The container engines that can build an image: docker, podman, buildah."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("docker", "podman", "buildah")
"""In the order in which they are taken."""
BUILD: Final = {
    "docker": ("docker", "build"),
    "podman": ("podman", "build"),
    # Without a namespace and a cgroup of its own, which a container that builds in it mostly cannot have.
    "buildah": ("buildah", "bud", "--isolation", "chroot", "--layers"),
}
WORKS: Final = {
    "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "podman": ("podman", "info", "--format", "{{.Version.Version}}"),
    "buildah": ("buildah", "info"),
}
"""A command that fails if the engine cannot build: docker is often there without its daemon."""
ANSWERS_WITHIN: Final = 30.0
"""Seconds for an engine to say that it works."""


class BuildError(Exception):
    """An image could not be built; the engine has said why."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """An image as the engine shows it."""

    name: str
    identity: str
    """The digest of its configuration: `sha256:…`, or the same without the prefix."""
    bytes: int
    """Unpacked, with its base."""
    layers: int
    labels: dict[str, str]


@dataclass(frozen=True)
class Engine:
    """One that works."""

    name: str

    def build(self, folder: Path, target: str, image: str, base: str, labels: Mapping[str, str], seconds: int) -> None:
        """Builds one target of the Dockerfile. Prints what the engine prints. Raises BuildError."""
        words = [*BUILD[self.name], "--target", target, "--tag", image, "--build-arg", f"BASE={base}"]
        said = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
        if self.name != "buildah":
            self._build(image, [*words, *said, str(folder)])
            return
        dated = ["--timestamp", str(seconds)]  # of all files, so that the same commit gives the same layers
        self._build(image, [*words, *dated, str(folder)])
        # buildah would take the labels of an earlier build from its cache, so they are given without it.
        again = ["buildah", "bud", "--isolation", "chroot", "--tag", image, *dated, *said, "--file", "-", str(folder)]
        self._build(image, again, f"FROM {image}\n")

    def _build(self, image: str, words: list[str], dockerfile: str = "") -> None:
        if subprocess.run(words, input=dockerfile, text=True, check=False).returncode:
            raise BuildError(image)

    def inspect(self, image: str) -> Made:
        """What the engine knows of an image. Raises BuildError if there is none."""
        if self.name == "buildah":
            return self._inspect_by_buildah(image)
        (found,) = self._json("image", "inspect", image)
        return Made(
            name=image,
            identity=found["Id"],
            bytes=found["Size"],
            layers=len(found["RootFS"]["Layers"]),
            labels=found["Config"].get("Labels") or {},
        )

    def _inspect_by_buildah(self, image: str) -> Made:
        found = self._json("inspect", "--type", "image", image)
        config = found["OCIv1"]
        made = [each for each in self._json("images", "--json") if found["FromImageID"].startswith(each["id"])]
        return Made(
            name=image,
            identity=found["FromImageID"],
            bytes=_bytes(made[0]["size"]) if made else 0,
            layers=len(config["rootfs"]["diff_ids"]),
            labels=config["config"].get("Labels") or {},
        )

    def _json(self, *words: str) -> Any:
        done = subprocess.run([self.name, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(done.stderr.strip())
        return json.loads(done.stdout)

    def digest_of(self, base: str) -> str:
        """The digest by which a registry knows an image that is here; "" if it came from none, or is not here."""
        if "@sha256:" in base:
            return base.partition("@")[2]
        try:
            if self.name == "buildah":
                return str(self._json("inspect", "--type", "image", base).get("FromImageDigest", ""))
            (found,) = self._json("image", "inspect", base)
        except BuildError:
            return ""
        digests = found.get("RepoDigests") or [""]
        return str(digests[0]).partition("@")[2]


def _bytes(text: str) -> int:
    """What buildah prints as a size, such as "427 MB"."""
    number, unit = text.split()
    return round(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit.upper()])


def find(wanted: str = "") -> tuple[Engine | None, str]:
    """The first engine that works, or the wanted one; and what is wrong with those before it, in one sentence each."""
    reasons = []
    for name in (wanted,) if wanted else NAMES:
        if name not in BUILD:
            reasons.append(f"{name} is none of {', '.join(NAMES)}.")
        elif shutil.which(name) is None:
            reasons.append(f"{name} is not installed.")
        elif error := _broken(name):
            reasons.append(f"{name} is installed and does not work: {error}")
        else:
            return Engine(name), " ".join(reasons)
    return None, " ".join(reasons)


def _broken(name: str) -> str:
    """What an engine says when it cannot build; "" if it can."""
    try:
        done = subprocess.run(WORKS[name], capture_output=True, text=True, timeout=ANSWERS_WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}."
    said = (done.stderr or done.stdout).strip()
    return (said.splitlines()[-1] if said else f"exit status {done.returncode}.") if done.returncode else ""
