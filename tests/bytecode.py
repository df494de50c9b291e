"""Rewrites the assertions of the test files once in a run: on a fresh clone each worker would do it for all files, for
longer than the collection itself takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from _pytest.assertion import rewrite


def rewrite_share(config: pytest.Config) -> int:
    """In one of several workers, rewrite this worker's share of the test files and keep the bytecode where pytest looks
    for it. Returns how many files were rewritten; without workers, and where no bytecode may be written, none.
    """
    given = getattr(config, "workerinput", None)
    if given is None or sys.dont_write_bytecode:
        return 0
    number, workers = int(given["workerid"].removeprefix("gw")), int(given["workercount"])
    return sum(rewrite_file(config, file) for file in files_of(config.args)[number::workers])


def files_of(arguments: Iterable[str]) -> Sequence[Path]:
    """The test files below the folders that a run names, in one order for all workers."""
    return sorted({file.resolve() for folder in arguments for file in Path(folder).rglob("test_*.py")})


def rewrite_file(config: pytest.Config, file: Path) -> bool:
    """Keep the bytecode of a file as pytest's own import does. Returns whether it was not there yet."""
    folder = rewrite.get_cache_dir(file)
    kept = folder / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(file, kept) is not None or not rewrite.try_makedirs(folder):
        return False
    try:
        source, code = rewrite._rewrite_test(file, config)
    except SyntaxError:
        return False  # the collection says it, with its line
    return rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, source, kept)
