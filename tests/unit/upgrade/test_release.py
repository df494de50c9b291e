"""An earlier release is built from the history, once; where it cannot be, the text says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from unora_local.mistakes import Mistake
from unora_local.process import StartFailedError
from unora_upgrade import release

# What an image's build leaves: an environment with a Python. Each run of it is noted.
BUILD = f"""#!/bin/sh
set -e
echo "$1" >> {{notes}}
mkdir -p "$2/bin" "$2.tools"
ln -sf "{sys.executable}" "$2/bin/python"
"""


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=test", "-c", "user.email=test@unora.example", "-c", "protocol.file.allow=always")
    return subprocess.run(["git", *own, "-C", str(folder), *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with two commits: in the first the build works, in the second it fails."""
    folder = tmp_path / "clone"
    build = folder / "deploy" / "image" / "build.sh"
    build.parent.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for text in (BUILD.format(notes=tmp_path / "notes"), "#!/bin/sh\necho the package is gone >&2\nexit 3\n"):
        build.write_text(text)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "a release")
    use(folder, monkeypatch)
    return folder


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the module takes for its clone; `from` names the first commit."""
    file = folder / "deploy" / "upgrade" / "from"
    file.parent.mkdir(exist_ok=True)
    if not file.exists():
        file.write_text(git(folder, "rev-parse", "HEAD~1"))
    monkeypatch.setattr(release, "CLONE", folder)
    monkeypatch.setattr(release, "FROM", file)


async def test_a_release_is_built_once_and_its_modules_run(clone: Path, tmp_path: Path) -> None:
    old = await release.earlier(tmp_path / "built")
    assert old.name == git(clone, "rev-parse", "--short=8", "HEAD~1").strip()
    assert await old.run("base64", "-h", env={}) != ""
    assert await release.earlier(tmp_path / "built") == old
    assert (tmp_path / "notes").read_text().split() == ["dependencies", "unora"]


async def test_a_build_that_fails_says_why_and_is_tried_again(clone: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(StartFailedError, match="the package is gone"):
            await release.earlier(tmp_path / "built", "HEAD")


async def test_a_command_that_fails_says_what_it_printed(clone: Path, tmp_path: Path) -> None:
    old = await release.earlier(tmp_path / "built")
    with pytest.raises(StartFailedError, match="No module named nothing_of_this_name"):
        await old.run("nothing_of_this_name", env={})


async def test_a_shallow_clone_is_told_to_fetch_the_history(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = (clone / "deploy" / "upgrade" / "from").read_text()
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{clone}", str(shallow))
    (shallow / "deploy" / "upgrade").mkdir(parents=True)
    (shallow / "deploy" / "upgrade" / "from").write_text(wanted)
    use(shallow, monkeypatch)
    with pytest.raises(Mistake, match=f"does not have the commit {wanted.strip()}(.|\n)*fetch --unshallow"):
        await release.earlier(tmp_path / "built")


async def test_without_a_history_the_text_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = tmp_path / "unpacked"
    (unpacked / "deploy" / "upgrade").mkdir(parents=True)
    (unpacked / "deploy" / "upgrade" / "from").write_text("0" * 40)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    use(unpacked, monkeypatch)
    with pytest.raises(Mistake, match="has no history"):
        await release.earlier(tmp_path / "built")
