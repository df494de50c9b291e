"""Picking a field of an answer in a shell."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from unora_local.cli import main
from unora_local.keyboard.fields import pick
from unora_local.mistakes import Mistake

ANSWER = '{"streaks": [{"streak_id": "1", "days": 4}], "a": {"x.y": null}}'


def test_text_comes_as_it_is_and_all_else_as_json() -> None:
    assert pick(ANSWER, "streaks.0.streak_id") == "1"
    assert pick(ANSWER, "streaks.0.days") == "4"
    assert pick('{"name": "Sören"}', "") == '{\n  "name": "Sören"\n}'


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("streak", "streak: there is no streak; there are streaks, a"),
        ("streaks.1.days", "streaks.1.days: there is no 1; there is"),
        ("streaks.-1", "there is no -1"),
        ("streaks.0.days.0", "there is no 0; there is 4"),
    ],
)
def test_a_field_that_is_not_there_is_told_with_what_there_is(path: str, said: str) -> None:
    with pytest.raises(Mistake, match=said):
        pick(ANSWER, path)


def test_a_refused_call_is_told_in_place_of_its_missing_field() -> None:
    refused = '{"code": "NOT_FOUND", "reason": "STREAK_NOT_FOUND", "message": "This streak does not exist."}'
    with pytest.raises(Mistake, match=r"the call was refused: .*STREAK_NOT_FOUND"):
        pick(refused, "streaks.0")


def test_what_is_no_json_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("<html>"))
    assert main(["field", "a"]) == 1
    assert "that is no JSON: '<html>'" in capsys.readouterr().err


def test_what_is_no_text_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8"))
    assert main(["field", "a"]) == 1
    assert "no text in UTF-8" in capsys.readouterr().err


def test_photos_that_cannot_be_written_are_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/pictures"):
        assert main(["photos", str(tmp_path / place)]) == 1
        assert "the photos cannot be written" in capsys.readouterr().err


def test_photos_of_a_person_are_written_as_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["photos", str(tmp_path / "my pictures")]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [file.name for file in files] == ["photo-1.jpg", "photo-2.jpg", "photo-3.jpg"]
    assert len({file.read_bytes() for file in files}) == 3
    assert all(file.read_bytes().startswith(b"\xff\xd8") for file in files)
