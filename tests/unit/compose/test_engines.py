"""Which engine `make compose-test` takes, and what it says where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from unora_compose import engines, images, run
from unora_compose.engines import CannotRun
from unora_compose.home import Home
from unora_compose.outcome import outcome
from unora_demo.run import Wishes
from unora_local.mistakes import Mistake

Put = Callable[[str, str], None]
GOOD_DOCKER = '[ "$1" = info ] && echo 29.0.1; [ "$1" = compose ] && echo 2.40.2; exit 0'


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Makes a program. The machine has no others."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return make


def test_docker_is_taken_if_it_answers_and_its_compose_is_new_enough(put: Put) -> None:
    assert engines.why_not_docker() == "docker is not installed"
    put("docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    assert engines.why_not_docker() == "docker does not work: Cannot connect to the Docker daemon."
    put("docker", '[ "$1" = info ] && exit 0; echo "docker: unknown command: docker compose" >&2; exit 1')
    assert engines.why_not_docker() == "docker has no compose: docker: unknown command: docker compose"
    put("docker", GOOD_DOCKER.replace("2.40.2", "v2.20.1"))
    assert engines.why_not_docker() == "docker compose is v2.20.1, and at least 2.24.4 is needed"
    put("docker", GOOD_DOCKER)
    assert engines.why_not_docker() == ""


@pytest.mark.parametrize("version", ["2.24.4", "v2.24.4-desktop.1", "2.26.1-4", "5.0.0"])
def test_versions_of_compose_that_do(version: str) -> None:
    assert engines.too_old(version) == ""


@pytest.mark.parametrize("version", ["2.24.3", "v2.5.0", "1.29.2", ""])
def test_versions_of_compose_that_are_too_old(version: str) -> None:
    assert "at least 2.24.4 is needed" in engines.too_old(version)


def test_an_engine_of_its_own_needs_root_programs_and_namespaces(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert engines.why_no_engine_of_its_own().startswith("it needs root")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    put("unshare", "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1")
    put("nsenter", "exit 0")
    said = "it needs debootstrap and buildah (Debian: apt-get install debootstrap buildah)"
    assert engines.why_no_engine_of_its_own() == said
    put("debootstrap", "exit 0")
    put("buildah", "exit 0")
    assert engines.why_no_engine_of_its_own().endswith("unshare: unshare failed: Operation not permitted")
    put("unshare", "exit 0")
    assert engines.why_no_engine_of_its_own() == ""


def test_where_no_engine_can_run_it_says_why_and_that_nothing_was_run(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    home = Home(tmp_path / "home")
    assert run.main(home, Wishes()) == 0
    said = capsys.readouterr().out
    assert said.startswith("compose-test: not run, since no container engine can run here. docker is not installed.")
    assert "it needs root" in said
    assert said.endswith("docs/compose.md\n")
    assert said.count("\n") == 1
    assert not home.path.exists()


def test_a_docker_that_cannot_fetch_the_images_of_others_is_not_taken(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stand-ins need an engine of its own."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    services = ", ".join(f'"{name}": {{"image": "a-{name}"}}' for name in images.STANDINS.values())
    config = f"""[ "$4" = config ] && echo '{{"services": {{{services}}}}}' && exit 0"""
    put("docker", f'{config}\ncase "$1" in image|pull) echo "no such host" >&2; exit 1;; esac\n{GOOD_DOCKER}')
    assert run.main(Home(tmp_path / "home"), Wishes()) == 0
    assert "docker cannot fetch the images of others, since it reaches no registry." in capsys.readouterr().out


async def _raises(error: Exception) -> bool:
    raise error


async def _says(result: int) -> int:
    return result


def test_only_what_cannot_be_tried_counts_as_not_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(_raises(CannotRun("dockerd does not run here: no iptables")), "") == 0
    said = capsys.readouterr().err
    assert "compose-test: not run" in said
    assert "dockerd does not run here: no iptables." in said
    assert outcome(_raises(Mistake("identity is unhealthy")), "") == 1
    assert "identity is unhealthy" in capsys.readouterr().err
    assert [outcome(_says(result), "") for result in (True, False, 0, 1, 130)] == [0, 1, 0, 1, 130]
