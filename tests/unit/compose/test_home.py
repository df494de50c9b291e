"""The folder of `make compose-test`: what a run leaves, and what the next one removes."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_compose import debian
from unora_compose.home import CGROUP, Home, remove_control_groups
from unora_local.mistakes import Mistake


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With what an earlier run has built, and what it has left since it was killed."""
    made = Home(tmp_path / "home")
    for folder in (made.debian / "usr", made.storage, made.archives, made.files / "kept", made.docker_data, made.logs):
        folder.mkdir(parents=True)
        (folder / "a file").touch()
    return made


def there(home: Home) -> list[bool]:
    return [folder.exists() for folder in (home.project, home.archives, home.docker_data)]


def test_what_an_earlier_run_has_left_is_removed_and_what_it_has_built_stays(home: Home) -> None:
    with home.taken():
        assert there(home) == [False] * 3
        assert list(home.logs.iterdir()) == []
        for folder in (home.files, home.archives, home.docker_data):
            folder.mkdir(parents=True)
        (home.logs / "compose.log").touch()
    assert there(home) == [False] * 3
    assert (home.logs / "compose.log").exists()
    assert (home.debian / "usr" / "a file").exists()
    assert (home.storage / "a file").exists()


def test_two_runs_at_the_same_time_are_refused(home: Home) -> None:
    with home.taken(), pytest.raises(Mistake, match="wait until it has ended"), Home(home.path).taken():
        pass


def test_the_control_groups_of_an_engine_that_was_killed_are_removed(tmp_path: Path) -> None:
    for place in (CGROUP, f"memory/{CGROUP}"):
        (tmp_path / place / "a-container" / "init").mkdir(parents=True)
    (tmp_path / "memory" / "of-others").mkdir()
    remove_control_groups(tmp_path)
    assert [each.name for each in (tmp_path / "memory").iterdir()] == ["of-others"]
    assert not (tmp_path / CGROUP).exists()


def test_a_control_group_with_a_process_in_it_stays(tmp_path: Path) -> None:
    """As the kernel refuses: a folder that is not empty."""
    (tmp_path / CGROUP / "a-container").mkdir(parents=True)
    (tmp_path / CGROUP / "a-container" / "a process").touch()
    remove_control_groups(tmp_path)
    assert (tmp_path / CGROUP / "a-container").exists()


def test_a_debian_that_is_half_made_or_by_another_script_is_made_anew(tmp_path: Path) -> None:
    assert not debian.is_made(tmp_path)
    ready = tmp_path / debian.READY
    ready.write_text(debian.MAKE.read_text())
    assert debian.is_made(tmp_path)
    ready.write_text("another script")
    assert not debian.is_made(tmp_path)
