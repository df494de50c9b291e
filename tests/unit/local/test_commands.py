"""The commands of unora_local without a stack: their help, and what they say when they cannot work."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from unora_local.cli import main
from unora_local.keyboard.commands import COMMANDS
from unora_local.keyboard.subscriber import RESERVED, check_name
from unora_local.mistakes import Mistake
from unora_local.parser import build
from unora_local.ports import SHIFT
from unora_local.run_folder import Row, RunFolder
from unora_local.running import check_folder
from unora_local.up import NEXT, describe

ROOT = Path(__file__).parents[3]
ALL = build()[1].all
NEEDS_STACK = {
    "as": ["as", "ana"],
    "call": ["call", "GetAccount", "--as", "ana"],
    "clock": ["clock"],
    "inbox": ["inbox"],
    "make-admin": ["make-admin", "6e4ab7fe-4dc0-4c5a-8a55-7a5f1f0c9a05"],
    "republish": ["republish", "streak", "--type", "CheckedIn", "--from", "2026-03-01T12:00:00Z"],
    "seed": ["seed"],
    "subscriber": ["subscriber", "mine", "CheckedIn"],
    "tail": ["tail"],
}


@pytest.mark.parametrize("command", ALL)
def test_the_help_of_each_command_has_an_example_that_can_be_read(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    _, _, examples = capsys.readouterr().out.partition("for example:\n")
    assert examples
    for line in examples.splitlines():
        program, _, words = line.strip().partition("python -m unora_local ")
        assert not program
        # As a shell divides it into words.
        done = subprocess.run(["bash", "-c", f'printf "%s\\0" {words}'], capture_output=True, text=True, check=True)
        chosen = build()[0].parse_args(done.stdout.split("\0")[:-1])
        assert chosen.command == command


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {command}" in shown for command in ALL)
    assert set(COMMANDS) <= set(ALL)


@pytest.mark.parametrize("command", NEEDS_STACK)
def test_without_a_stack_a_command_says_how_to_start_one(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run", str(tmp_path / "run"), *NEEDS_STACK[command]]) == 1
    captured = capsys.readouterr()
    assert "`make up`" in captured.err
    assert captured.out == ""
    assert not (tmp_path / "run").exists()


def test_every_tool_at_the_keyboard_needs_a_stack() -> None:
    assert set(COMMANDS) <= set(NEEDS_STACK)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clock", "tomorrow"], "tomorrow is no moment"),
        (["clock", "--zone", "Mars"], "Mars is no time zone"),
        (["clock", "--zone", "../etc"], "is no time zone"),
        (["tail", "Nonsense"], "no event is called Nonsense"),
        (["seed", "0"], "seed makes 1 to"),
        (["seed", "100000"], "seed makes 1 to"),
        (["republish", "streak", "--type", "Nonsense"], "streak has no event Nonsense; it has"),
        (
            ["republish", "streak", "--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T13:00:00+01:00"],
            "--from 2026-03-01T12:00:00Z is not before --to 2026-03-01T12:00:00Z",
        ),
        (["subscriber", "mine"], "or say --remove"),
        (["subscriber", "mine", "CheckedIn", "--remove"], "or say --remove"),
    ],
)
def test_a_mistake_is_told_before_a_stack_is_asked_for(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run", str(tmp_path), *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["", "Mine", "1st", "a.b", "a_b", "a" * 32, "a b", "mine\n", "front", "postgres", *sorted(RESERVED)]
)
def test_a_subscriber_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(Mistake):
        check_name(name)


def test_chat_and_notifier_are_names_of_subscribers() -> None:
    for name in ("chat", "notifier", "push-2"):
        check_name(name)


def test_a_folder_of_another_user_is_refused_with_what_to_do(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "missing", user=os.geteuid() + 1)
    with pytest.raises(Mistake, match=r"was made by .* and you are user [0-9]+\.\nRun this command as .*\n.*--run"):
        check_folder(tmp_path, user=123_456)


@pytest.mark.parametrize("command", [["up"], ["down"], ["clean"], ["status"], ["seed"]])
def test_a_folder_with_other_things_in_it_is_left_as_it_is(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A home, such as `--run ~`: a stack would close it to others, and `clean` would erase it."""
    tmp_path.chmod(0o755)
    mine = tmp_path / "mine"
    mine.touch(0o644)
    for folder in (tmp_path, mine, mine / "run"):
        assert main(["--run", str(folder), *command]) == 1
        assert str(folder) in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    assert [each.stat().st_mode & 0o777 for each in (tmp_path, mine)] == [0o755, 0o644]


def test_a_folder_with_other_things_in_it_is_not_made_composes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "mine").touch()
    assert main(["compose-files", "--folder", str(tmp_path)]) == 1
    assert "holds other things" in capsys.readouterr().err
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_folder_of_a_stack_is_known_until_it_is_erased(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock:
        assert folder.lock.acquire()
    (folder.path / "keys").mkdir()
    check_folder(folder.path)
    folder.erase()
    assert not folder.path.exists()
    folder.erase()


@pytest.mark.parametrize(
    "words",
    [
        *(["--metadata", pair] for pair in ("novalue", "Bad Key=1", "ä=1", "a=ä", "x-bin=1", "a=1\nb", "=1")),
        *(["--timeout", each] for each in ("0", "-1", "nan", "inf", "1e99", "soon")),
    ],
)
def test_metadata_and_time_limits_that_no_call_can_have_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["call", "GetAccount", *words])
    assert ended.value.code == 2
    assert "no number of seconds" in (said := capsys.readouterr().err) or "is no KEY=VALUE" in said


def test_metadata_are_pairs() -> None:
    chosen = build()[0].parse_args(
        ["call", "GetAccount", "--metadata", "a=1=2", "--metadata", "b=", "--timeout", "2.5"]
    )
    assert (chosen.metadata, chosen.timeout) == ([("a", "1=2"), ("b", "")], 2.5)


def test_what_one_is_told_to_type_quotes_its_variables() -> None:
    """The folder may have a space in its name."""
    assert "$UNORA_" in NEXT
    assert not re.findall(r'(?<!")\$UNORA_\w+', NEXT)


def test_the_next_steps_are_shown_once_the_stack_is_ready(tmp_path: Path) -> None:
    """While it starts, a command would be refused, and the gateway's address is not known."""
    folder = RunFolder(tmp_path / "run")
    rows = [
        Row("nats", 1, "", "127.0.0.1:14222", 15),
        Row("gateway", 2, "", "https://127.0.0.1:1 http://127.0.0.1:2", 15),
    ]
    starting = describe(folder, rows[:1])
    assert "127.0.0.1:14222" in starting
    assert "make demo" not in starting
    assert "/docs" not in starting
    folder.write_env({})
    ready = describe(folder, rows)
    assert "make demo" in ready
    assert "  http://127.0.0.1:2/docs\n" in ready


def test_make_status_ends_without_an_error_line_of_make(tmp_path: Path) -> None:
    """Exit status 1 is an answer there; any other is an error."""
    recipe = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "unora_local status" in line)
    for status, expected in ((0, 0), (1, 0), (2, 2)):
        makefile = tmp_path / "Makefile"
        makefile.write_text(f"status:\n{recipe.replace('$(BIN)/python -m unora_local status', f'(exit {status})')}\n")
        done = subprocess.run(["make", "-f", str(makefile)], capture_output=True, text=True, check=False)
        assert done.returncode == expected
        assert ("***" in done.stderr) == bool(expected)


def test_the_image_has_no_code_of_these_tools() -> None:
    """What makes members, tokens or codes visible is not among the packages of the wheel, and no file of theirs is
    copied into the image.
    """
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    shipped = [ROOT / package for package in wheel["packages"]]
    assert not [package for package in shipped if "deploy" in package.parts or package.name == "unora_local"]
    assert not wheel.get("force-include")
    copied = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith(("COPY", "ADD"))]
    assert copied
    assert not [line for line in copied if "deploy/local" in line or " . " in line]
    sources = [file for package in shipped for file in package.rglob("*.py")]
    assert len(sources) > 400
    for file in sources:
        text = file.read_text()
        assert "unora_local" not in text, file
        assert "people.json" not in text, file


@pytest.mark.parametrize(("name", "value"), [("UNORA_GATEWAY_BODY_BYTES", "much"), (SHIFT, "ten"), (SHIFT, "60000")])
def test_a_variable_that_cannot_be_is_told_before_a_stack_starts(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also to those who wait for a whole stack."""
    monkeypatch.setenv(name, value)
    folder = RunFolder(tmp_path / "run")
    assert main(["--run", str(folder.path), "up"]) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"{name} is '{value}': give a whole number")
    assert folder.rows() == []
    assert "postgres" not in told.out


def test_compose_files_tells_a_variable_that_cannot_be_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNORA_GATEWAY_BODY_BYTES", "much")
    assert main(["compose-files", "--folder", str(tmp_path / "compose")]) == 1
    assert capsys.readouterr().err.startswith("UNORA_GATEWAY_BODY_BYTES is 'much'")
    assert not (tmp_path / "compose").exists()
