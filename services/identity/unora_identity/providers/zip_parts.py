"""A zip file that is made and stored part by part: what is in memory is one part, whatever the file holds (ID-10)."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from unora_identity.providers.parts_upload import PART_BYTES, PartsUpload

MODE: Final = 0o600 << 16
"""The rights of a file when it is unpacked: its owner's alone."""


class ZipParts:
    """A zip file on its way into the object store. One task uses it."""

    def __init__(self, upload: PartsUpload, made_at: tuple[int, int, int, int, int, int]) -> None:
        """`made_at` is the time of all its files: year to second."""
        self._upload = upload
        self._made_at = made_at
        self._tail = _Tail()
        self._zip = ZipFile(self._tail, "w")
        self.size = 0
        """Bytes that are stored so far."""

    async def add(self, name: str, data: bytes) -> None:
        """Adds a file that is packed already, such as a picture. Raises as PartsUpload does."""
        with self._zip.open(self._info(name, ZIP_STORED), "w") as file:
            await self._write(file.write, data)

    async def add_pieces(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Adds a file that comes in pieces, and packs it. Raises as PartsUpload does, and what `pieces` raises."""
        with self._zip.open(self._info(name, ZIP_DEFLATED), "w") as file:
            async for piece in pieces:
                await self._write(file.write, piece)

    async def close(self) -> None:
        """Stores the rest: the object is there. Raises as PartsUpload does."""
        self._zip.close()
        await self._store(self._tail.take())
        await self._upload.complete()

    async def _write(self, write: Callable[[bytes], int], data: bytes) -> None:
        await asyncio.to_thread(write, data)  # packing takes processor time
        if len(self._tail) >= PART_BYTES:
            await self._store(self._tail.take())

    async def _store(self, part: bytes) -> None:
        await self._upload.add(part)
        self.size += len(part)

    def _info(self, name: str, packing: int) -> ZipInfo:
        info = ZipInfo(name, self._made_at)
        info.compress_type, info.external_attr = packing, MODE
        return info


class _Tail(io.RawIOBase):
    """What was written and not yet taken. It has no places, so that ZipFile never goes back."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._bytes += data
        return len(data)

    def take(self) -> bytes:
        """All of it."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken
