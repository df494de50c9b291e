"""The images that docker-compose.yml runs: Unora's two, and those of others or their stand-ins."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from unora_local.binaries import script
from unora_local.keys import private_folder
from unora_local.process import StartFailedError
from unora_local.progress import Progress
from unora_local.run_folder import CLONE

from unora_compose.commands import Docker, logged
from unora_compose.engines import CONTAINED, CannotRun
from unora_compose.home import Home

TAG: Final = "compose-test"
OURS: Final = {"UNORA_IMAGE": "unora", "UNORA_IDENTITY_IMAGE": "unora-identity"}
"""The variable of docker-compose.yml by which each image is named, and its name."""
STANDINS: Final = {
    "UNORA_POSTGRES_IMAGE": "postgres",
    "UNORA_NATS_IMAGE": "nats",
    "UNORA_S3_IMAGE": "s3",
    "UNORA_ENVOY_IMAGE": "gateway",
}
"""The same of the images of others: the service, which is also the target in the Dockerfile of stand-ins."""
BASE: Final = "localhost/unora-base:bookworm"
"""What `make base-image` makes."""
SOURCES: Final = CLONE / "deploy" / "compose" / "standins"
NOT_IN_IMAGES: Final = ("boot", "dev", "proc", "run", "sys", "tmp", "usr/libexec/docker", "var/cache", "var/lib/docker")
"""Folders of the Debian of dockerd that a stand-in needs nothing of."""


def names() -> dict[str, str]:
    """Unora's images, by their variables."""
    return {variable: f"{name}:{TAG}" for variable, name in OURS.items()}


async def build_by_docker(home: Home, progress: Progress) -> None:
    """Build Unora's images by the docker of this machine. Raises StartFailedError."""
    with progress.step("Unora's images, by docker"):
        await logged(_build("--engine", "docker"), home.logs / "images.log")


async def build_by_buildah(home: Home, progress: Progress) -> None:
    """Build Unora's images by buildah, on a base of Debian's packages, and save them as archives. Layers are kept for
    the next run. Raises StartFailedError, or CannotRun if there is no base.
    """
    env = await _storage(home)
    log = home.logs / "images.log"
    with progress.step("a base of Debian's packages") as step:
        if await _has(BASE, env, log):
            step.now("is there")
        else:
            try:
                await logged([*CONTAINED, str(CLONE / "deploy" / "image" / "base.sh"), BASE], log, env)
            except StartFailedError as error:
                raise CannotRun(f"no base for the images can be made here: {error}") from None
    with progress.step("Unora's images, by buildah"):
        await logged([*CONTAINED, *_build("--engine", "buildah", "--base", BASE)], log, env)
    with progress.step("archives of them"):
        private_folder(home.archives)
        for name in OURS.values():
            archive = f"docker-archive:{_archive(home, name)}:{name}:{TAG}"
            await logged([*CONTAINED, "buildah", "push", "--quiet", f"localhost/{name}:{TAG}", archive], log, env)


def _build(*options: str) -> list[str]:
    return [sys.executable, "-m", "unora_tools.image", "--tag", TAG, *options]


async def _storage(home: Home) -> dict[str, str]:
    """Have buildah keep its images in the folder; returns its variable. Where no overlay is permitted, it copies."""
    settings, log = home.path / "storage.conf", home.logs / "buildah.log"
    env = {"CONTAINERS_STORAGE_CONF": str(settings)}
    for driver in ("overlay", "vfs"):
        # A driver refuses the folder of another one.
        folder = json.dumps(str(home.storage / driver))
        settings.write_text(f'[storage]\ndriver = "{driver}"\ngraphroot = {folder}\nrunroot = {folder[:-1]}-run"\n')
        try:
            await logged([*CONTAINED, "buildah", "info"], log, env)
        except StartFailedError:
            if driver == "vfs":
                raise
        else:
            break
    return env


async def _has(image: str, env: Mapping[str, str], log: Path) -> bool:
    try:
        await logged([*CONTAINED, "buildah", "inspect", "--type", "image", image], log, env)
    except StartFailedError:
        return False
    return True


def _archive(home: Home, name: str) -> Path:
    return home.archives / f"{name}.tar"


async def load(home: Home, docker: Docker, progress: Progress) -> None:
    """Give the archives to docker."""
    with progress.step("docker takes Unora's images"):
        for name in OURS.values():
            await docker.run("load", "--quiet", "--input", str(_archive(home, name)))
            _archive(home, name).unlink()


async def pull(docker: Docker) -> bool:
    """Whether docker has the images of others as docker-compose.yml names them, or can fetch them."""
    try:
        wanted = json.loads(await docker.run("compose", "--file", str(CLONE / "docker-compose.yml"), *_CONFIG))
        for service in STANDINS.values():
            await _has_or_fetches(docker, wanted["services"][service]["image"])
    except StartFailedError:
        return False
    return True


async def _has_or_fetches(docker: Docker, image: str) -> None:
    try:
        await docker.run("image", "inspect", image)
    except StartFailedError:
        await docker.run("pull", "--quiet", image)


_CONFIG: Final = ("config", "--format", "json", "--no-path-resolution")


async def make_standins(home: Home, docker: Docker, progress: Progress) -> dict[str, str]:
    """Make stand-ins of Debian's packages and of the programs in the environment; returns them by their variables."""
    made = {}
    with progress.step("stand-ins for the images of others") as step:
        context = home.archives / "standins"
        _collect(context)
        base, log = f"unora-standin:{TAG}", home.logs / "standins.log"
        await _import(home.debian, base, docker, log)
        for variable, service in STANDINS.items():
            step.now(service)
            made[variable] = f"unora-standin-{service}:{TAG}"
            options = ("--target", service, "--tag", made[variable], "--build-arg", f"BASE={base}")
            await docker.logged(log, "build", *options, str(context))
        shutil.rmtree(context)
    return made


def _collect(context: Path) -> None:
    """What the Dockerfile of stand-ins copies."""
    shutil.copytree(SOURCES, context)
    (context / "bin").mkdir()
    for program in (script("nats-server"), script("weed"), _envoy()):
        shutil.copy2(program, context / "bin" / program.name)


def _envoy() -> Path:
    """The program itself: what is among the scripts starts it by Python."""
    found = find_spec("envoy")
    if found is None or found.origin is None:
        raise StartFailedError("the package of envoy is not installed in this environment: run `make` again")
    return Path(found.origin).parent / "_bin" / "envoy"


async def _import(folder: Path, image: str, docker: Docker, log: Path) -> None:
    without = [f"--exclude=./{name}/*" for name in NOT_IN_IMAGES]
    pack = ["tar", "--directory", str(folder), "--one-file-system", *without, "--create", "."]
    await logged(
        ["sh", "-c", f'{shlex.join(pack)} | exec "$@"', "sh", *docker.argv("import", "-", image)], log, docker.env
    )
