"""The object store as an app reaches it: with a form or a link that a service gave, and nothing else."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from unora_local.client import ANSWER_WITHIN, Unexpected

JPEG: Final = (b"\xff\xd8\xff", b"\xff\xd9")
"""How a JPEG begins and ends."""


async def post(url: str, fields: Mapping[str, str], file: bytes) -> None:
    """Post a file to a pre-signed form, its fields first."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="photo"\r\n\r\n'.encode()
    body = b"".join([*parts, head, file, f"\r\n--{boundary}--\r\n".encode()])
    await asyncio.to_thread(_ask, "POST", url, body, f"multipart/form-data; boundary={boundary}")


async def fetch(url: str) -> bytes:
    """What a link leads to."""
    return await asyncio.to_thread(_ask, "GET", url)


def is_jpeg(data: bytes) -> bool:
    """Whether these bytes begin and end as a JPEG does."""
    return data.startswith(JPEG[0]) and data.endswith(JPEG[1])


def _ask(method: str, url: str, body: bytes | None = None, content_type: str = "") -> bytes:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.netloc, timeout=ANSWER_WITHIN)) as connection:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, {"Content-Type": content_type} if content_type else {})
        answer = connection.getresponse()
        content = answer.read()
    if answer.status not in (200, 204):
        code = content.decode(errors="replace").partition("<Code>")[2].partition("</Code>")[0]
        raise Unexpected(f"the object store answered a {method} with status {answer.status} {code}".rstrip())
    return content
