"""Writing a file so that who reads it finds the old content or the new one, and never a part."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_whole(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that appears whole or not at all, also if the process dies or several write it. Its permissions are
    `mode`, whatever the umask. Raises OSError, and then leaves nothing behind; the folder must exist.
    """
    with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False) as draft:
        try:
            draft.write(content)
            draft.flush()
            os.fchmod(draft.fileno(), mode)
            Path(draft.name).replace(file)
        except BaseException:
            Path(draft.name).unlink()
            raise
