"""The wheel, installed into an empty environment, runs a subscriber and knows nothing of the services."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
import venv
import zipfile
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from unora_testing.deadlines import within

from tests.integration.sdk.platform import Platform, Seen, checked_in

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "libs" / "sdk" / "build.py"
DEPENDENCIES = next(path for path in sys.path if path.endswith("site-packages"))
"""Of the development environment. As an entry of PYTHONPATH it brings what is installed there, and none of the
repository's own packages, which it only links to.
"""
LOOKS = """
import importlib.util, unora_sdk, unora.streak.v1.events_pb2 as events
print(unora_sdk.__file__, events.__file__)
assert importlib.util.find_spec("unora_common") is None
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_sdk import PostgresStore
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdk")
    subprocess.run([sys.executable, str(BUILD), str(out)], check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has only the wheel."""
    home = tmp_path_factory.mktemp("home") / "venv"
    venv.create(home, with_pip=False)
    (wheel,) = built.glob("*.whl")
    uv = Path(sys.executable).parent / "uv"
    command: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        home / "bin" / "python",
        wheel,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return home / "bin" / "python"


def test_it_holds_types_and_stubs_and_nothing_of_the_services(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"unora_sdk", "unora", "buf", "unora_sdk-0.1.0.dist-info"}
    assert {
        "unora_sdk/py.typed",
        "unora/py.typed",
        "unora/streak/v1/events_pb2.pyi",
        "buf/validate/validate_pb2.pyi",
    } <= {*names}
    assert len(list(built.glob("*.tar.gz"))) == 1
    versions = [tomllib.loads((ROOT / where / "pyproject.toml").read_text()) for where in ("", "libs/sdk")]
    assert versions[0]["project"]["version"] == versions[1]["project"]["version"]


def test_it_is_imported_without_the_services(python: Path) -> None:
    command: list[str | Path] = [python, "-c", LOOKS]
    env = {"PYTHONPATH": DEPENDENCIES}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(str(python.parents[1]) in path for path in done.stdout.split())


async def test_a_subscriber_runs_from_it(platform: Platform, seen: Seen, python: Path, tmp_path: Path) -> None:
    script = tmp_path / "projection.py"
    script.write_text((Path(__file__).parent / "projection.py").read_text())
    (identifier,) = await platform.publish(checked_in())
    env = platform.environment() | {"PYTHONPATH": DEPENDENCIES}
    process = await asyncio.create_subprocess_exec(
        python, script, seen.path, cwd=tmp_path, env=env, stdout=PIPE, stderr=PIPE
    )
    await platform.until_done()
    process.terminate()
    output, errors = await within(process.communicate())
    assert (process.returncode, output.decode(), errors) == (0, f"{identifier}\n", b"")
    assert seen.rows() == {str(identifier)}
