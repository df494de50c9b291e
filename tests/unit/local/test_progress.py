"""What a person sees of long work, on a terminal and in a pipe."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from unora_local.progress import Progress
from unora_testing.deadlines import GENEROUS, wait_until

SHORT = 0.05
LOCAL = Path(__file__).parents[3] / "deploy" / "local"


def test_in_a_pipe_lines_say_what_is_under_way_and_how_far_it_is() -> None:
    out = io.StringIO()
    progress = Progress(out, SHORT)
    with progress.step("photos") as step:
        step.now("3 of 12")
        wait_until(lambda: out.getvalue().count("… photos 3 of 12") >= 2, out.getvalue)
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().splitlines()[-1].startswith("  - photos  ")
    assert out.getvalue().endswith("3 of 12\n")


def test_several_steps_at_once_are_one_line() -> None:
    out = io.StringIO()
    progress = Progress(out, SHORT)
    with progress.step("one"), progress.step("two"):
        wait_until(lambda: "  … one, two\n" in out.getvalue(), out.getvalue)


def test_what_is_done_soon_says_nothing_while_it_waits() -> None:
    out = io.StringIO()
    with Progress(out).waiting("short"):
        pass
    assert out.getvalue() == ""


def test_when_nothing_is_under_way_no_thread_is_left() -> None:
    progress = Progress(io.StringIO(), SHORT)
    before = set(threading.enumerate())
    with progress.waiting("one"), progress.waiting("two"):
        (ticking,) = set(threading.enumerate()) - before
    ticking.join(GENEROUS)
    assert not ticking.is_alive()


def test_a_step_that_fails_says_no_line_as_if_it_were_done() -> None:
    out = io.StringIO()
    with pytest.raises(KeyError), Progress(out).step("photos"):
        raise KeyError
    assert out.getvalue() == ""


def test_on_a_terminal_the_last_line_shows_how_far_it_is_at_once() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as out:
        with Progress(out).step("photos") as step:
            step.now("3 of 12")
        shown = b""
        while not shown.endswith(b"3 of 12\r\n\r\x1b[K"):  # the line that stays
            shown += os.read(ours, 4096)
    os.close(ours)
    assert "… photos 3 of 12" in shown.decode()
    assert "✓" in shown.decode()


@pytest.mark.parametrize("status", [0, 3])
def test_a_command_as_a_step_keeps_its_output_and_its_exit_status(status: int) -> None:
    """As the Makefile runs it: before there is any package."""
    command = ["bash", "-c", f"echo said; exit {status}"]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "unora_local.progress", "packages", *command],
        env={**os.environ, "PYTHONPATH": str(LOCAL)},
        capture_output=True,
        text=True,
        timeout=GENEROUS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "said\n", "")


def test_work_goes_on_when_nobody_reads_of_it_any_more() -> None:
    """A terminal that was closed, or `make up | head`: what runs must be stopped in order all the same."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as out:
        progress = Progress(out)
        with progress.step("one") as step:
            step.now("1 of 2")
        progress.say("the end")
