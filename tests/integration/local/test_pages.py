"""The commands of the README and of the tutorials, taken from the pages and run as a reader runs them.

The reader's folder has spaces in its name. What the pages call `.venv` and `.run` is there, and belongs to one stack.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from unora_local.keyboard.people import People
from unora_testing.deadlines import GENEROUS

from tests.e2e.stack import Stack
from tests.pages import Step, differs, outputs, script, section, steps

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
APP = ROOT / "docs" / "tutorial-app.md"
SUBSCRIBER = ROOT / "docs" / "tutorial-subscriber.md"
START = "make up\n"
TITLE = "Ten commands"
READ_WITHIN = 15 * GENEROUS
MARK = "=== step"
PYTHON = """\
#!/bin/sh
# The clone's Python, for the stack of this folder.
if [ "$1 $2" = "-m unora_local" ]; then
    shift 2
    exec "{python}" -m unora_local --run "{run}" "$@"
fi
exec "{python}" "$@"
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack as `make up` starts it, in a reader's folder."""
    folder = tmp_path_factory.mktemp("a clone with spaces")
    made = Stack(folder / ".run")
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(python=sys.executable, run=made.folder.path))
    python.chmod(0o755)
    try:
        with made.up():
            yield made
    finally:
        made.run("clean")


def follow(stack: Stack, parts: list[Step]) -> None:
    """Run all steps in one shell; each exits with 0 and prints what the page shows."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNORA_")}
    done = subprocess.run(
        ["bash", "-c", script(parts, MARK)],
        cwd=stack.folder.path.parent,
        env=environment | {"TOKEN": ""},
        capture_output=True,
        text=True,
        timeout=READ_WITHIN,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = outputs(done.stdout, MARK)
    assert len(printed) == len(parts)
    for step, each in zip(parts, printed, strict=True):
        assert not differs(step, each), f"{step.commands}\n{differs(step, each)}\n\nbut it printed\n{each}"


def seed(stack: Stack) -> None:
    """Make members, unless a test before has."""
    if not People(stack.folder.path).all():
        stack.run("seed", within=READ_WITHIN)


@pytest.mark.rule("DI-07", "MA-01", "ST-05", "RE-11")
def test_the_ten_commands_of_the_readme_lead_to_a_match_a_check_in_and_a_reveal(stack: Stack) -> None:
    start, *parts = steps(section(README, TITLE))
    assert start == Step(START)
    assert sum(len(step.commands.replace("\\\n", "").splitlines()) for step in parts) == 10
    follow(stack, parts)


def test_the_tutorial_leads_an_app_from_sign_up_to_an_interest(stack: Stack) -> None:
    seed(stack)
    follow(stack, steps(APP.read_text()))


def test_the_subscribers_tutorial_leads_to_a_projection_a_dead_letter_and_a_replay(stack: Stack) -> None:
    seed(stack)
    follow(stack, steps(SUBSCRIBER.read_text()))


def test_make_up_starts_the_stack_that_these_tests_run_on(stack: Stack) -> None:
    makes = subprocess.run(["make", "-n", "up"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m unora_local up" in makes.splitlines()[-1]
    assert stack.command("up")[1:3] == ["-m", "unora_local"]
