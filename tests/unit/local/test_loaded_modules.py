"""What a process has in memory when it starts: nothing that it does not use, and nothing that its image lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest
from unora_common.config import CONTEXTS
from unora_local import services

LARGE: Final = {
    "alembic": (),  # only `migrate` needs it
    "boto3": (),  # identity loads it when it makes its store of photos
    "botocore": (),
    "confusable_homoglyphs.confusables": (),  # its list is read without it
    "cv2": (),  # only the processes of pictures
    "PIL": (),
    "httpx": ("billing",),
    "numpy": ("discovery",),
    "openai": (),  # reveal loads it if a model frames its texts
    "opentelemetry": (),  # only with a collector of traces
    "phonenumbers": (),  # identity loads it when it makes its resources
    "pydantic": (),  # of openai
    "regex": ("identity", "reveal", "safety"),  # they read what members write
    "requests": (),  # of Stripe's blocking client
    "sqlalchemy": (),  # the schema, for migrations
    "stripe": ("billing",),
}
"""Modules that take a megabyte or more, and the contexts that load them when they start."""
COMMAND: Final = """
import json, runpy, sys
before = set(sys.modules)
words = {words!r}
sys.argv = [*words, "--help"]
try:
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
finally:
    print(json.dumps([name for name, module in sys.modules.items() if module and name not in before]), file=sys.stderr)
"""

KEYBOARD: Final = """
import json, runpy, sys
sys.argv = ["unora_local", "--run", {folder!r}, "call", "GetAccount"]
try:
    runpy.run_module("unora_local", run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert end.code == 1, "no stack runs there"
assert "unora_local.keyboard.commands" in sys.modules
print(json.dumps([name for name, module in sys.modules.items() if module]), file=sys.stderr)
"""


def run(code: str) -> frozenset[str]:
    """The modules that a new process has loaded when this code has run."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stderr, done.stdout
    assert not done.returncode, done.stderr
    return frozenset(json.loads(done.stderr.splitlines()[-1]))


@cache
def loaded(context: str) -> frozenset[str]:
    """The modules of a service, started as the stack on one machine starts it."""
    python, module, *words = services.module(context)
    assert (python, module) == (sys.executable, "-m")
    return run(COMMAND.format(words=words))


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_loads_no_large_module_that_it_does_not_use(context: str) -> None:
    assert f"unora_{context}.service" in loaded(context)
    unused = {name for name, contexts in LARGE.items() if context not in contexts}
    assert not unused & loaded(context), "import it where it is used, or allow it in LARGE"


@pytest.mark.parametrize("name", [name for name, contexts in LARGE.items() if contexts])
def test_what_a_context_may_load_is_what_it_loads(name: str) -> None:
    assert [context for context in CONTEXTS if name in loaded(context)] == sorted(LARGE[name], key=CONTEXTS.index)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_of_the_stack_loads_only_packages_of_its_image(context: str) -> None:
    lock = "requirements-identity.txt" if context == "identity" else "requirements.txt"
    locked = Path(__file__).parents[3].joinpath(lock).read_text()
    image = {"unora", *(line.split("==")[0] for line in locked.splitlines() if "==" in line)}
    packages = packages_distributions()
    foreign = {
        name
        for name in {module.partition(".")[0] for module in loaded(context)}
        if name in packages and not {each.lower().replace("_", "-") for each in packages[name]} & image
    }
    assert not foreign, "a library loads it if it finds it: name it in unora_local/as_image.py"


def test_a_command_at_the_keyboard_does_not_load_what_others_need(tmp_path: Path) -> None:
    """It answers in half a second; OpenCV alone takes as long."""
    found = run(KEYBOARD.format(folder=str(tmp_path)))
    assert not {*LARGE, "aiohttp", "rich"} & found
