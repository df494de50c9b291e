"""`make image`: which engine it takes, what it gives to the build, and what it says where there is none."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from unora_tools.commit import Commit, commit_of
from unora_tools.image import __main__ as image
from unora_tools.image.engines import find
from unora_tools.supply.parts import ROOT

COMMIT = Commit(revision="1234abcd", seconds=1_800_000_000, version="0.1.0")


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of commands, in which a test puts its engines; git alone is there besides."""
    for tool in ("git", "sh"):
        found = subprocess.run(["sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(found.stdout.strip())
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_without_an_engine_it_says_what_is_wrong_with_each_and_how_to_get_one(
    engines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(engines, "docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    assert image.main([]) == 0
    said = capsys.readouterr().err
    assert "docker is installed and does not work: Cannot connect to the Docker daemon." in said
    assert "podman is not installed. buildah is not installed." in said
    assert "apt-get install buildah" in said


def test_it_takes_the_first_engine_that_works_or_the_one_that_is_named(engines: Path) -> None:
    put(engines, "docker", "exit 1")
    put(engines, "podman", "exit 0")
    put(engines, "buildah", "exit 0")
    for wanted, taken in (("", "podman"), ("buildah", "buildah")):
        engine, _ = find(wanted)
        assert engine is not None
        assert engine.name == taken
    engine, reasons = find("kaniko")
    assert engine is None
    assert reasons == "kaniko is none of docker, podman, buildah."


DOCKER = """
echo "$*" >> {folder}/said
if [ "$1" = build ]; then
    labels=
    while [ $# -gt 0 ]; do
        if [ "$1" = --label ]; then labels="$labels, \\"${{2%%=*}}\\": \\"${{2#*=}}\\""; fi
        shift
    done
    echo "$labels" > {folder}/labels
elif [ "$2" = inspect ]; then
    read -r labels < {folder}/labels || labels=
    echo '[{{"Id": "sha256:77", "Size": 400000000, "RootFS": {{"Layers": ["a", "b"]}},' \
        '"Config": {{"Labels": {{"a": "b"'"$labels"'}}}}, "RepoDigests": ["base@sha256:55"]}}]'
fi"""
"""It keeps the labels of the last build, and shows them with every image."""


def test_it_builds_both_targets_with_their_labels_and_reports_them(
    engines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(engines, "docker", DOCKER.format(folder=tmp_path))
    (tmp_path / "labels").write_text("\n")
    assert image.main(["--tag", "9", "--base", "base:1"]) == 0
    builds = [line for line in (tmp_path / "said").read_text().splitlines() if line.startswith("build ")]
    assert [re.findall(r"--(?:target|tag) (\S+)", line) for line in builds] == [
        ["services", "unora:9"],
        ["identity", "unora-identity:9"],
    ]
    for line, lock in zip(builds, ("requirements.txt", "requirements-identity.txt"), strict=True):
        assert "--build-arg BASE=base:1" in line
        assert "--label org.opencontainers.image.base.digest=sha256:55" in line
        assert f"--label unora.lock.sha256={hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()}" in line
    assert "image: unora:9: 400 MB, 2 layers, sha256:77\n    a=b\n    org.opencontainers" in capsys.readouterr().out


def test_an_image_with_the_labels_of_an_earlier_build_is_an_error(
    engines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(engines, "docker", DOCKER.format(folder=tmp_path).replace(f"> {tmp_path}/labels", "> /dev/null"))
    (tmp_path / "labels").write_text(', "org.opencontainers.image.revision": "older"\n')
    assert image.main([]) == 1
    assert "has other labels than it was given" in capsys.readouterr().err


def test_what_buildah_shows_of_an_image_is_understood(engines: Path) -> None:
    shown = (
        '{"FromImageID": "62ff923e473e639b", "OCIv1": {"rootfs": {"diff_ids": ["a", "b", "c"]}, '
        '"config": {"Labels": {"a": "b"}}}}'
    )
    listed = '[{"id": "086944ebeaff", "size": "128 MB"}, {"id": "62ff923e473e", "size": "1.04 GB"}]'
    put(engines, "buildah", f"[ \"$1\" = images ] && echo '{listed}' || echo '{shown}'")
    engine, _ = find("buildah")
    assert engine is not None
    made = engine.inspect("unora:9")
    assert (made.bytes, made.layers, made.labels, made.identity) == (1_040_000_000, 3, {"a": "b"}, "62ff923e473e639b")


def test_a_build_that_fails_is_an_error_that_names_the_way_without_a_registry(
    engines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(engines, "docker", '[ "$1" != build ] || exit 1; echo "[{}]"')
    assert image.main([]) == 1
    assert "make base-image" in capsys.readouterr().err


def test_the_labels_say_the_commit_and_what_is_not_known() -> None:
    given = image.labels_of("unora", image.base_of((ROOT / "Dockerfile").read_text()), "", COMMIT)
    assert given["org.opencontainers.image.created"] == "2027-01-15T08:00:00Z"
    assert given["org.opencontainers.image.revision"] == "1234abcd"
    assert given["org.opencontainers.image.base.name"].startswith("python:3.")
    assert given["org.opencontainers.image.base.digest"] == "unknown"


def test_the_revision_says_whether_files_differ_from_the_commit(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2"\n')
    assert commit_of(tmp_path) == Commit(revision="unknown", seconds=0, version="1.2")
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-q", "-m", "a"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    clean = commit_of(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", clean.revision)
    assert clean.seconds > 1_700_000_000
    (tmp_path / "new").touch()
    assert commit_of(tmp_path).revision == f"{clean.revision}-dirty"
