"""The workers of a run rewrite the assertions of each test file once, and pytest takes what they kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import rewrite

from tests import bytecode


@dataclass
class Worker:
    """What a worker has of its run, as far as it matters here."""

    args: list[str]
    workerinput: dict[str, Any]
    stash: dict[Any, Any] = field(default_factory=lambda: {rewrite.assertstate_key: State()})

    def getini(self, name: str) -> bool:
        return False


class State:
    def trace(self, message: str) -> None:
        """Nobody reads it."""


def workers(folder: Path, number: int) -> list[Any]:
    return [Worker([str(folder)], {"workerid": f"gw{each}", "workercount": number}) for each in range(number)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for number in range(5):
        (tmp_path / f"test_{number}.py").write_text(f"def test_it():\n    assert {number} == -1\n")
    (tmp_path / "helper.py").write_text("assert True\n")
    return tmp_path


def kept(file: Path) -> Any:
    return rewrite._read_pyc(file, rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}")


def test_each_file_is_rewritten_by_one_worker(folder: Path) -> None:
    assert [bytecode.rewrite_share(each) for each in workers(folder, 2)] == [3, 2]
    assert all(kept(file) for file in folder.glob("test_*.py"))
    assert kept(folder / "helper.py") is None, "pytest does not rewrite it"
    assert [bytecode.rewrite_share(each) for each in workers(folder, 2)] == [0, 0]


def test_what_is_kept_explains_a_failed_assertion(folder: Path) -> None:
    bytecode.rewrite_share(workers(folder, 1)[0])
    names: dict[str, Any] = {}
    exec(kept(folder / "test_3.py"), names)
    with pytest.raises(AssertionError, match="assert 3 == -1"):
        names["test_it"]()


def test_a_file_that_changes_is_rewritten_again(folder: Path) -> None:
    (worker,) = workers(folder, 1)
    bytecode.rewrite_share(worker)
    (folder / "test_1.py").write_text("def test_it():\n    assert False\n")
    assert bytecode.rewrite_share(worker) == 1


def test_a_file_with_a_wrong_syntax_is_left_to_the_collection(folder: Path) -> None:
    (folder / "test_1.py").write_text("def test_it(:\n")
    assert bytecode.rewrite_share(workers(folder, 1)[0]) == 4


def test_without_workers_nothing_is_rewritten_beforehand(folder: Path) -> None:
    config: Any = type("Config", (), {"args": [str(folder)]})()
    assert bytecode.rewrite_share(config) == 0
