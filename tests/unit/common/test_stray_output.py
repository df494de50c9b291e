"""Whatever would be printed as plain text becomes a line of the log, without the text of the error (XX-04)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

PROGRAM = """
import asyncio, gc, logging, sys, threading, warnings
from unora_common.logs import logger
from unora_common.stray_output import capture, capture_loop

SECRET = "Anna, +15555550100"

def fail(*_):
    raise ValueError(SECRET)

async def failing():
    fail()

class Broken:
    __del__ = fail

async def main():
    log = logger("streak", "info")
    capture(log)
    capture_loop(log, asyncio.get_running_loop())
    {body}

asyncio.run(main())
"""
SECRET = "Anna, +15555550100"
CASES = {
    "a callback": ("asyncio.get_running_loop().call_soon(fail); await asyncio.sleep(0)", "unhandled error"),
    "a task that nobody awaits": (
        "task = asyncio.ensure_future(failing()); await asyncio.sleep(0); del task; gc.collect()",
        "unhandled error",
    ),
    "a message of a library": ('logging.getLogger("asyncpg.pool").warning(f"for {SECRET}")', "library message"),
    "an error of a library": (
        'try:\n        fail()\n    except ValueError:\n        logging.getLogger("nats").exception(SECRET)',
        "library message",
    ),
    "a warning": ("warnings.warn(SECRET)", "warning"),
    "a thread": ("thread = threading.Thread(target=fail); thread.start(); thread.join()", "uncaught error"),
    "a finalizer": ("Broken()", "unraisable error"),
    "the end of the process": ("fail()", "uncaught error"),
}


@pytest.mark.rule("XX-04")
@pytest.mark.parametrize("name", CASES)
def test_what_would_be_printed_is_one_line_of_json_without_its_text(name: str) -> None:
    body, event = CASES[name]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{body}", body)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    (line,) = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert (line["event"], line["service"]) == (event, "streak")
    assert "Anna" not in done.stdout
    assert line["exception"], "a line says where it comes from"


def test_a_service_that_cannot_be_imported_says_so_in_a_line_of_json(tmp_path: Path) -> None:
    (tmp_path / "unora_broken").mkdir()
    (tmp_path / "unora_broken" / "service.py").write_text(f"raise ValueError({SECRET!r})")
    program = "import sys; from unora_common.cli import start; sys.exit(start('broken'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert (line["event"], line["service"], line["error"]) == ("uncaught error", "broken", "ValueError")
    assert SECRET not in done.stdout
