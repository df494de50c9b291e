"""Whether a test run uses the testbed that `make testbed` keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import pytest
from unora_local.run_folder import Lock
from unora_testing import kept_testbed
from unora_testing.kept_testbed import Borrowing, KeptTestbed, accounts_of
from unora_testing.testbed import Testbed

TESTBED = Testbed("folder", "postgresql://superuser@127.0.0.1:1", 2, "http://127.0.0.1:3", "secret")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Lock]:
    """A testbed with two workers, kept by a process that lives."""
    kept = KeptTestbed(TESTBED, kept_testbed.fingerprint(), tuple(accounts_of(2)))
    (tmp_path / "testbed.json").write_bytes(msgspec.json.encode(asdict(kept)))
    lock = Lock(tmp_path / "keeper.lock")
    assert lock.acquire()
    yield lock
    lock.release()


def test_a_run_uses_the_kept_testbed_and_gives_it_back(tmp_path: Path, keeper: Lock) -> None:
    for _ in range(2):
        borrowing = Borrowing(tmp_path)
        assert borrowing.take(accounts_of(2)) == TESTBED
        borrowing.give_back()


def test_without_a_testbed_a_run_starts_its_own_and_says_nothing(tmp_path: Path) -> None:
    borrowing = Borrowing(tmp_path)
    assert (borrowing.take(accounts_of(0)), borrowing.refusal) == (None, "")


def test_a_testbed_whose_keeper_was_killed_is_not_used(tmp_path: Path, keeper: Lock) -> None:
    keeper.release()
    borrowing = Borrowing(tmp_path)
    assert (borrowing.take(accounts_of(0)), borrowing.refusal) == (None, "")


def test_what_a_killed_keeper_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "testbed.json"
    (data / "postgres").mkdir(parents=True)
    kept = KeptTestbed(replace(TESTBED, folder=str(data)), kept_testbed.fingerprint(), ())
    file.write_bytes(msgspec.json.encode(asdict(kept)))
    kept_testbed.erase_leftovers(file)
    assert (data.exists(), file.exists()) == (False, False)
    file.write_text("{}")
    kept_testbed.erase_leftovers(file)
    assert not file.exists()


def test_two_runs_do_not_share_a_testbed(tmp_path: Path, keeper: Lock) -> None:
    first, second = Borrowing(tmp_path), Borrowing(tmp_path)
    assert first.take(accounts_of(0)) == TESTBED
    assert second.take(accounts_of(0)) is None
    assert "another test run" in second.refusal
    first.give_back()


def test_a_run_with_more_workers_than_the_testbed_does_not_use_it(tmp_path: Path, keeper: Lock) -> None:
    borrowing = Borrowing(tmp_path)
    assert borrowing.take(accounts_of(3)) is None
    assert "fewer workers" in borrowing.refusal


def test_a_testbed_of_other_migrations_is_not_used(
    tmp_path: Path, keeper: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_testbed, "fingerprint", lambda: "of a new migration")
    borrowing = Borrowing(tmp_path)
    assert borrowing.take(accounts_of(0)) is None
    assert "changed" in borrowing.refusal


def test_a_changed_migration_changes_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_testbed, "CLONE", tmp_path)
    migration = tmp_path / "services/streak/unora_streak/migrations/0001_streaks.py"
    migration.parent.mkdir(parents=True)
    migration.write_text("one")
    before = kept_testbed.fingerprint()
    migration.write_text("two")
    assert kept_testbed.fingerprint() != before
