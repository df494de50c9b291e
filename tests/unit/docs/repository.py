"""The files of the repository, and what its pages name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for page in [
        *ROOT.glob("*.md"),
        *(ROOT / ".github").glob("*.md"),
        *DOCS.rglob("*.md"),
        *(ROOT / "libs").rglob("*.md"),
        *(ROOT / "examples").glob("README.md"),
        *(ROOT / "examples").glob("*/README.md"),
    ]
    if page.name != "CHANGELOG.md"  # it names what is gone
)
KINDS = {".py", ".proto", ".md", ".yaml", ".yml", ".toml", ".sh", ".mako", ".txt", ""}
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
NAMED = re.compile(r"[\w<>{},.*-]+(?:/[\w<>{},.*-]+)*/?")
MADE_WHEN_RUN = (".run/", ".compose", "kept/", "libs/protos")
"""Paths that begin so exist only after a command has run."""
BRACES = re.compile(r"\{([^}]*)\}")


@cache
def files() -> list[Path]:
    """Every file of the repository, relative to the root, without generated ones."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        inside = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if (inside / name).as_posix() == ".ci" or not _is_made(inside / name)]
        found += [inside / name for name in names if not name.endswith(".pyc")]
    return [path for path in found if path.name not in (".git", ".venv")]


@cache
def texts() -> dict[Path, str]:
    """The content of every text file."""
    return {path: (ROOT / path).read_text() for path in files() if path.suffix in KINDS}


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def paths_named(page: Path) -> Iterator[str]:
    """Each text in backticks that looks like a path of this repository."""
    names = {path.name for path in files()} | {path.parts[0] for path in files()}
    endings = tuple(kind for kind in KINDS if kind)
    for token in CODE.findall(prose(page)):
        if NAMED.fullmatch(token) and not token.startswith(MADE_WHEN_RUN) and token not in endings:
            first = token.split("/")[0]
            if token.endswith(endings) or ("/" in token and (first in names or first.startswith(("unora_", "tests")))):
                yield token


def exists(named: str) -> bool:
    """Whether a path of the repository equals or ends with `named`; `<word>` stands for any name."""
    return all(_found(re.sub(r"<\w+>", "*", each).rstrip("/")) for each in _spread(named))


@cache
def _found(pattern: str) -> bool:
    return any(fnmatch(path, pattern) or fnmatch(path, f"*/{pattern}") for path in _every())


@cache
def _every() -> frozenset[str]:
    """Every file and every folder."""
    return frozenset(each.as_posix() for path in files() for each in (path, *path.parents))


def _spread(named: str) -> Iterator[str]:
    """`a/{b,c}` as `a/b` and `a/c`."""
    found = BRACES.search(named)
    if not found:
        yield named
        return
    for one in found[1].split(","):
        yield from _spread(named[: found.start()] + one + named[found.end() :])


def _is_made(folder: Path) -> bool:
    return folder.name[0] == "." or folder.name in ("__pycache__", "node_modules") or folder == Path("libs/protos")
