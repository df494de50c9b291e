"""The Python packages that a lock file names, with their hashes and what they say of themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).resolve().parents[3]
LOCKS: Final = {"unora": "requirements.txt", "unora-identity": "requirements-identity.txt"}
"""The images, and the lock file of each."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A package of an image. What it says of itself is read from the environment of development, which has it too."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of the files that may be installed, in hexadecimal."""
    expression: str
    """What it says of its licence: an SPDX expression, a name, or the names of classifiers; "" if it says nothing."""
    summary: str
    needs: tuple[str, ...]
    """The names of the packages that it requires on this platform."""


def parts_of(image: str, root: Path = ROOT) -> list[Part]:
    """The packages of an image, by their names. Raises ValueError if the environment has another version."""
    text = (root / LOCKS[image]).read_text().replace("\\\n", " ")
    return [_part(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _part(line: str) -> Part:
    found = re.match(r"(?P<name>[a-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;]+)", line)
    if found is None:
        raise ValueError(f"this line of a lock file names no package: {line[:80]}")
    name, version = found["name"], found["version"]
    there = metadata.distribution(name)
    if there.version != version:
        raise ValueError(f"the lock file has {name} {version}, and the environment {there.version}: run `make protos`")
    return Part(
        name=name,
        version=version,
        hashes=tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)),
        expression=_said(there.metadata),
        summary=_field(there.metadata, "Summary"),
        needs=tuple(sorted(_needs(there.requires or []))),
    )


def _field(of: metadata.PackageMetadata, name: str) -> str:
    return (of[name] or "").strip() if name in of else ""


def _said(of: metadata.PackageMetadata) -> str:
    """The newest of the three ways in which a package may say its licence."""
    classifiers = [
        each.rpartition(" :: ")[2] for each in of.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    short = _field(of, "License")
    return _field(of, "License-Expression") or (short if "\n" not in short else "") or " OR ".join(classifiers)


def _needs(requirements: list[str]) -> set[str]:
    environment = {**{key: str(value) for key, value in default_environment().items()}, "extra": ""}
    read = (Requirement(each) for each in requirements)
    return {
        each.name.lower().replace("_", "-") for each in read if not each.marker or each.marker.evaluate(environment)
    }
