"""Programs that came with the environment."""

import shutil
import sysconfig
from pathlib import Path


def script(name: str) -> Path:
    """The path of a program among the scripts of this Python's environment."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        raise RuntimeError(f"{name} is not installed in this environment")
    return Path(found)
