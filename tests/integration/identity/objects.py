"""The object store as a client uses it: posting forms and fetching addresses."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from unora_testing.deadlines import GENEROUS


async def post(url: str, fields: Mapping[str, str], data: bytes) -> int:
    """Posts the form: the fields first, the file last. Returns the HTTP status."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode())
    body = b"".join(parts) + data + f"\r\n--{edge}--\r\n".encode()
    return (await fetch(Request(url, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})))[0]


async def fetch(request: Request | str) -> tuple[int, bytes]:
    """The HTTP status, and the body."""

    def send() -> tuple[int, bytes]:
        try:
            with urlopen(request, timeout=GENEROUS) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    return await asyncio.to_thread(send)
