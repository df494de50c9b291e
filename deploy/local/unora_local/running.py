"""What a command needs before it can use a stack: that it runs, and that its folder is a stack's and this user's."""

import os
import pwd
from pathlib import Path

from unora_local.env import Env
from unora_local.mistakes import Mistake, NotReadyError
from unora_local.run_folder import DEFAULT, LOCK, RunFolder


def env_of(folder: RunFolder) -> Env:
    """The addresses of the stack that runs in this folder. Raises NotReadyError."""
    if not folder.path.exists() or folder.lock.holder() is None:
        raise NotReadyError("Unora does not run: start it first, by `make up` in another shell")
    if not folder.env.exists():
        raise NotReadyError("Unora is starting or stopping: wait until `make up` says that it is ready")
    return Env.read(folder.env)


def check_folder(path: Path, user: int | None = None, *, mark: str = LOCK) -> None:
    """Raise Mistake if another user has made the folder, whose content is that user's alone; or if it is there for
    something else: a stack closes its folder to others, and `clean` erases it.

    `user` is who asks; without it who runs this process. `mark` is a file that the folder has, unless it is new.
    """
    user = os.geteuid() if user is None else user
    try:
        owner = path.stat().st_uid
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise Mistake(f"{path} can be no folder: a part of it is a file") from None
    except PermissionError:
        raise Mistake(f"{_name(user)} may not enter {path.parent}; give another folder by --run") from None
    if owner != user:
        raise Mistake(
            f"{path} was made by {_name(owner)}, and you are {_name(user)}.\n"
            f"Run this command as {_name(owner)}; or have a stack of your own in another folder, by\n"
            f"  python -m unora_local --run ANOTHER_FOLDER up\n"
            f"or let {_name(owner)} erase that one, with its data, by `make clean`."
        )
    if not path.is_dir():
        raise Mistake(f"{path} is no folder")
    if path.resolve() != DEFAULT and any(path.iterdir()) and not (path / mark).exists():
        raise Mistake(f"{path} holds other things: name a folder that is new, or that Unora has made")


def _name(user: int) -> str:
    try:
        return f"{pwd.getpwuid(user).pw_name} (user {user})"
    except KeyError:
        return f"user {user}"
