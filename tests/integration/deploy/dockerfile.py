"""The Dockerfile, read: its stages, what they copy from the clone, and the steps of the build that they run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
Instruction = tuple[str, str]


@cache
def instructions() -> tuple[Instruction, ...]:
    """All instructions, continued lines joined: (("FROM", "${BASE} AS wheel"), …)."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return tuple((line.split()[0], line.partition(" ")[2].strip()) for line in joined)


@cache
def stages() -> dict[str, tuple[Instruction, ...]]:
    """The instructions of each stage, its FROM first, by its name."""
    found: dict[str, list[Instruction]] = {}
    for word, text in instructions():
        if word == "FROM":
            found[text.split()[-1]] = []
        if found:
            found[list(found)[-1]].append((word, text))
    return {name: tuple(each) for name, each in found.items()}


def from_of(stage: str) -> str:
    """What a stage begins with: another stage, or `${BASE}`."""
    return stages()[stage][0][1].split()[0]


def copied(stage: str) -> list[tuple[str, Path]]:
    """The files that a stage copies from the clone, each with its target in the working folder."""
    pairs = []
    for words in (text.split() for word, text in stages()[stage] if word == "COPY" and "--from=" not in text):
        *sources, target = words
        pairs += [(source, Path(target) / Path(source).name if target == "./" else Path(target)) for source in sources]
    return pairs


def steps(stage: str) -> list[list[str]]:
    """The calls of build.sh in a stage: [["./build.sh", "tools", "/opt/unora"], …]."""
    return [text.split() for word, text in stages()[stage] if word == "RUN" and "build.sh" in text]
