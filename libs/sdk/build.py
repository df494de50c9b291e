"""Builds the wheel and the sdist of unora-sdk: `build.py FOLDER`. It needs no network, and prints the paths.

The generated code is not in git, and lies elsewhere: everything is put together in a folder first, so that the sdist
holds all that a wheel is built from.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STUBS = ("unora", "buf")


def gather(folder: Path) -> None:
    """Puts the package together."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(HERE / "unora_sdk", folder / "unora_sdk", ignore=unwanted)
    for name in STUBS:
        shutil.copytree(ROOT / "libs" / "protos" / name, folder / name, ignore=unwanted)
        (folder / name / "py.typed").touch()
    for file in (HERE / "pyproject.toml", HERE / "README.md", ROOT / "LICENSE", ROOT / "NOTICE"):
        shutil.copy(file, folder)


def build(out: Path) -> list[Path]:
    """Writes both into `out`, in place of those of an earlier build; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("unora_sdk-*"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        gather(Path(folder))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(out.resolve())]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"sdk: it cannot be built\n{done.stdout}{done.stderr}")
    return sorted(out.glob("unora_sdk-*"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("build.py FOLDER, such as .run/sdk")
    for path in build(Path(sys.argv[1])):
        print(path)
