"""The page's own files, as they were built."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web
from unora_gateway.refusals import PathUnknown

BUILT: Final = Path(__file__).with_name("built")
INDEX: Final = "index.html"


class Files:
    """The files of a folder, read once: what is not among them at the start is not served."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not file.is_symlink()
        }

    async def serve(self, request: web.Request) -> web.Response:
        """A file; the index at the folder's own address. Raises PathUnknown."""
        path = request.match_info["path"] or INDEX
        if path not in self._files:
            raise PathUnknown
        kind, _ = mimetypes.guess_type(path)
        response = web.Response(body=self._files[path])
        response.content_type = kind or "application/octet-stream"
        if response.content_type.startswith("text/"):
            response.charset = "utf-8"
        return response
