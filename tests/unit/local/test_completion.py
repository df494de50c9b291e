"""Completion by Tab, as a shell asks for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from unora_local.keyboard.completion import OPTIONS as COMPLETED
from unora_local.keyboard.completion import PLACES, complete, script, sources
from unora_local.keyboard.people import Login, People
from unora_local.nats_config import CONFIG, Tls, write
from unora_local.parser import build
from unora_local.run_folder import LOCK
from unora_local.subscribers import Subscriber

COMMANDS = build()[1]
OPTIONS = COMMANDS.options()


def after(*words: str, folder: Path = Path("/nowhere")) -> list[str]:
    return complete(words, OPTIONS, COMMANDS.options_with_value(), sources(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / LOCK).touch()
    people = People(tmp_path)
    for name in ("Ana", "Anton", "Sören"):
        people.add(Login("", name, "id", "+1", "token"))
    return tmp_path


def test_commands_are_completed_and_what_only_the_shell_asks_for_is_not() -> None:
    assert set(after("")) == {*OPTIONS}
    assert "complete" not in OPTIONS
    assert after("sub") == ["subscriber"]
    assert after("make-a") == ["make-admin"]


def test_methods_are_completed_in_any_case() -> None:
    assert after("call", "CheckI") == ["CheckIn"]
    assert after("call", "checki") == ["CheckIn"]
    assert "streak.ExportMember" in after("call", "streak.")
    assert len(after("call", "")) > 100
    assert after("call", "CheckIn", "") == []


def test_names_are_those_of_the_people_of_this_stack(folder: Path) -> None:
    assert after("as", "an", folder=folder) == ["ana", "anton"]
    assert after("call", "GetAccount", "--as", "s", folder=folder) == ["soren"]
    assert after("call", "--as", "", folder=folder) == ["ana", "anton", "soren"]
    assert after("inbox", "a", folder=folder) == ["ana", "anton"]
    assert after("as", "") == []


def test_events_callers_moments_and_options_are_completed() -> None:
    assert after("tail", "CheckedI") == ["CheckedIn"]
    assert after("tail", "CheckedIn", "ConnectionF") == ["ConnectionFormed"]
    assert after("subscriber", "Che") == []  # its name is free
    assert after("subscriber", "mine", "CheckedI") == ["CheckedIn"]
    assert after("call", "X", "--caller", "str") == ["streak"]
    assert after("call", "--timeout", "") == []
    assert after("clock", "next") == ["next-day", "next-midnight"]
    assert {"--as", "--caller"} <= set(after("call", "X", "--"))
    assert after("--run", "/tmp/x", "stat") == ["status"]
    assert after("no-such-command", "") == []


def test_every_command_with_places_exists_and_every_option_that_is_completed_has_a_value() -> None:
    assert set(PLACES) <= set(OPTIONS)
    assert set(COMPLETED) <= COMMANDS.options_with_value()


def test_the_word_after_an_option_is_its_value_and_no_word_of_the_command(folder: Path) -> None:
    """By the parsers: also of an option that nobody has thought of here."""
    assert {"--run", "--person", "--timeout"} <= COMMANDS.options_with_value()
    assert not {"-f", "--follow", "--code", "--remove", "--new-secret", "--help"} & COMMANDS.options_with_value()
    assert after("photos", "--person", "") == []
    for option in COMMANDS.options_with_value():
        assert after(option, "a value", "stat") == ["status"]
        assert after("as", option, "a value", "an", folder=folder) == ["ana", "anton"]
    assert after("inbox", "--code", "an", folder=folder) == ["ana", "anton"]


def test_bash_completes_by_the_script(folder: Path) -> None:
    """Also from a folder whose name has a space."""
    there = folder.rename(folder.with_name("with a space"))
    typed = 'COMP_WORDS=(unora call GetAccount --as so); COMP_CWORD=4; _unora; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", f"{script('bash', there)}\ntype -t unora; {typed}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == ["function", "soren"], done.stderr


def test_the_script_for_zsh_has_the_same_function_and_registers_its_completion() -> None:
    text = script("zsh", Path("/a b"))
    assert "--run '/a b'" in text
    assert "compdef _unora unora" in text


def test_contexts_consumers_and_events_of_republish_are_completed(tmp_path: Path) -> None:
    assert after("republish", "str") == ["streak"]
    assert after("republish", "streak", "--type", "CheckedI") == ["CheckedIn"]
    assert after("republish", "streak", "--from", "") == []
    assert after("republish", "streak", "--consumer", "") == []
    others = [Subscriber("push", "", ("unora.streak.v1.checked_in",))]
    tls = Tls(tmp_path, tmp_path, tmp_path)
    reads = {"streak": ["unora.matching.v1.connection_formed"]}
    passwords = {"admin": "", "streak": "", "matching": ""}
    (tmp_path / "nats").mkdir()
    write(
        tmp_path / "nats" / CONFIG,
        port=1,
        store=tmp_path,
        passwords=passwords,
        reads=reads,
        tls=tls,
        subscribers=others,
    )
    both = ["push__checked_in", "streak__connection_formed"]
    assert after("republish", "streak", "--consumer", "", folder=tmp_path) == both
