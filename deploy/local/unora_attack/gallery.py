"""Hostile pictures as files. Making them takes seconds and much memory, so a process of its own does it.

`python -m unora_attack.gallery FOLDER` writes them, and prints what there is as JSON.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec
from unora_local.process import output_of
from unora_testing.photos import hostile

CONTENT_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "APNG": "image/png", "WebP": "image/webp"}
HEIC: Final = "image/heic"


class Picture(msgspec.Struct, frozen=True):
    """One file."""

    title: str
    file: str
    content_type: str
    accepted: bool
    """Whether it is taken as a photo, although it costs as much as a photo may."""


class Gallery(msgspec.Struct, frozen=True):
    """All of them."""

    pictures: list[Picture]

    def find(self, title: str) -> Picture:
        """By its title."""
        return next(each for each in self.pictures if each.title == title)


async def make(folder: Path) -> Gallery:
    """Makes all files, in another process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "unora_attack.gallery", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    output = await output_of(process)
    if process.returncode:
        raise RuntimeError("the hostile pictures could not be made; see above")
    return msgspec.json.decode(output, type=Gallery)


def _write(folder: Path) -> Gallery:
    found: list[Picture] = []
    for accepted, files in ((False, hostile.refused()), (True, hostile.worst_accepted())):
        for title, data in files.items():
            file = folder / f"hostile-{len(found)}"
            file.write_bytes(data)
            found.append(Picture(title, str(file), content_type(title), accepted))
    return Gallery(found)


def content_type(title: str) -> str:
    """The content type of a picture with this title."""
    return next((kind for name, kind in CONTENT_TYPES.items() if name in title.split()), HEIC)


if __name__ == "__main__":
    print(msgspec.json.encode(_write(Path(sys.argv[1]))).decode())
