"""Pictures to choose a portrait from, and their way to the object store.

A browser cannot post to the object store by itself, which answers no page of another address.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from unora_common.errors import InvalidArgument

from unora_local import objects
from unora_local.client import Unexpected
from unora_local.page import bodies
from unora_local.page.refusals import PictureUnknown, UploadRefused
from unora_local.page.stack import RunningStack

PEOPLE: Final = 12
SHOTS: Final = 3
"""The portraits of `unora_local.photos`: so many people differ, each in so many shots."""
NAMES: Final = {f"{1 + SHOTS * person + shot}.jpg": (person, shot) for person in range(PEOPLE) for shot in range(SHOTS)}
NO_CONTENT: Final = 204


class Pictures:
    """The sample portraits."""

    def __init__(self, stack: RunningStack) -> None:
        self._object_store = stack.object_store

    async def names(self, request: web.Request) -> web.Response:
        """All of them, three of each person."""
        return web.json_response({"pictures": list(NAMES)})

    async def show(self, request: web.Request) -> web.Response:
        """The bytes of one. Raises PictureUnknown."""
        return web.Response(body=await _picture(request.match_info["name"]), content_type="image/jpeg")

    async def upload(self, request: web.Request) -> web.Response:
        """Post one with the form that identity gave for it. Raises UploadRefused."""
        given = await bodies.read(request, url=str, form_fields=dict, picture=str)
        if not self._is_of_the_store(given["url"]):
            raise InvalidArgument({"url": f"must lead to the object store, {self._object_store}"})
        unclean = [name for name, value in given["form_fields"].items() if not f"{name}{value}".isprintable()]
        if unclean:
            raise InvalidArgument({"form_fields": "must hold no control characters"})
        picture = await _picture(given["picture"])
        try:
            await objects.post(given["url"], given["form_fields"], picture)
        except Unexpected as error:
            raise UploadRefused(why=error) from None
        return web.json_response({"status": NO_CONTENT})

    def _is_of_the_store(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return url.isascii() and url.isprintable() and f"{parts.scheme}://{parts.netloc}" == self._object_store


async def _picture(name: str) -> bytes:
    from unora_local.photos.portraits import portrait  # OpenCV takes a while to load

    if name not in NAMES:
        raise PictureUnknown
    return await asyncio.to_thread(portrait, *NAMES[name])
