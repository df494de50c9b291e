"""Which tests a worker gets together."""

from __future__ import annotations

from pathlib import Path

from tests.scheduling import TOGETHER, scope_of

ROOT = Path(__file__).parents[3]


def test_a_folder_whose_files_share_a_stack_is_given_whole_and_others_by_file() -> None:
    page = {scope_of(f"tests/e2e/page/{name}.py::test_it") for name in ("test_page", "test_fifteen_days")}
    assert page == {"tests/e2e/page/"}
    assert scope_of("tests/e2e/test_sagas.py::test_it[a::b]") == "tests/e2e/test_sagas.py"


def test_each_folder_that_is_given_whole_has_several_files_and_is_a_package() -> None:
    """Pytest ends the fixtures of a package with its last test, those of another folder with the run."""
    for folder in TOGETHER:
        assert (ROOT / folder / "__init__.py").exists()
        assert len(list((ROOT / folder).glob("test_*.py"))) > 1
