"""PR-02, PR-03, PR-07: pictures are inspected on the machine itself, by classic computer vision: no photo is sent
elsewhere to be judged. It finds whether there is a face, not whose face it is.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from unora_identity.providers.pictures import Picture, VisionPolicy

if TYPE_CHECKING:
    from unora_identity.providers.opencv import PictureInspector


class Vision:
    """Inspects pictures in threads of its own (OpenCV releases the interpreter lock while it works)."""

    def __init__(self, policy: VisionPolicy | None = None, threads: int = 2) -> None:
        # Imported here, so that a process that inspects no pictures does not pay for loading OpenCV and NumPy.
        from unora_identity.providers.opencv import PictureInspector

        self._new_inspector = PictureInspector
        self._policy = policy or VisionPolicy()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="vision")
        self._local = threading.local()

    async def inspect(self, data: bytes, *, stored: bool = False) -> Picture:
        """What is found in a picture, with a copy of it: upright, scaled down, a JPEG without metadata. Raises
        PhotoUnreadable, PhotoTooLarge, or PhotoTooSmall unless the picture is one that is `stored` already.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: self.inspect_now(data, stored=stored)
        )

    def inspect_now(self, data: bytes, *, stored: bool = False) -> Picture:
        """As `inspect`, in the calling thread."""
        return self._inspector().inspect(data, stored=stored)

    def close(self) -> None:
        """Waits for the inspections in progress, and ends the threads."""
        self._pool.shutdown()

    def _inspector(self) -> "PictureInspector":
        # A classifier keeps state while it works, so each thread has an inspector of its own.
        if not hasattr(self._local, "inspector"):
            self._local.inspector = self._new_inspector(self._policy)
        inspector: PictureInspector = self._local.inspector
        return inspector
