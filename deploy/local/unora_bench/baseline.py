"""The figures of a run as JSON: .run/bench.json, and docs/bench-baseline.json, with which later runs are compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from unora_bench.figures import Figure
from unora_bench.run import Run

BASELINE: Final = Path("docs", "bench-baseline.json")


class Known(msgspec.Struct, frozen=True):
    """A figure of an earlier run."""

    group: str
    name: str
    value: float
    unit: str
    limit: float | None = None
    limit_name: str = ""
    share: float | None = None
    noise: float = 0.0


class File(msgspec.Struct):
    """One file of figures."""

    figures: list[Known]
    notes: dict[str, Any] = {}


def read(path: Path) -> dict[str, Known]:
    """The figures of a file by group and name; none if there is no file. Raises ValueError for another file."""
    if not path.exists():
        return {}
    return {_key(each): each for each in read_file(path).figures}


def read_file(path: Path) -> File:
    """The file. Raises ValueError for another file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=File)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is no file of figures: {error}") from error


def write(path: Path, run: Run, keep: Mapping[str, Known]) -> None:
    """Writes the figures of a run. Those that it did not measure stay as they are."""
    new = {_key(each): each for each in map(_known, run.figures)}
    measured = {each.group for each in run.figures}
    kept = {key: each for key, each in keep.items() if each.group not in measured}
    file = File(sorted((kept | new).values(), key=lambda each: each.group), run.notes)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


def change(figure: Figure, known: Mapping[str, Known]) -> float | None:
    """How much better (worse, if negative) the share is than the baseline's, as a part of that; without a share, the
    value. None if the baseline does not have the figure.
    """
    before = known.get(_key(figure))
    if before is None:
        return None
    if figure.share is not None and before.share:
        return figure.share / before.share - 1
    if not before.value or not figure.value:
        return None
    return figure.value / before.value - 1 if figure.is_rate else before.value / figure.value - 1


def _known(figure: Figure) -> Known:
    names = ("group", "name", "value", "unit", "limit", "limit_name", "share", "noise")
    return Known(**{name: getattr(figure, name) for name in names})


def _key(figure: Figure | Known) -> str:
    return f"{figure.group}: {figure.name}"
