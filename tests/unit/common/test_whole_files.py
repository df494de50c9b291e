"""A file that is written anew is the old one or the new one, and never a part."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from unora_common.whole_files import write_whole


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o644])
def test_a_file_is_replaced_with_its_permissions_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    before = os.umask(0o077)
    try:
        for content in (b"old", b"new"):
            write_whole(file, content, mode)
    finally:
        os.umask(before)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", mode)
    assert os.listdir(tmp_path) == ["file"]


def test_who_has_the_old_file_open_goes_on_reading_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, b"old")
    with file.open("rb") as reader:
        write_whole(file, b"the new one")
        assert reader.read() == b"old"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    write_whole(file, b"old")

    def full(descriptor: int, mode: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(file, b"new")
    assert (file.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])
