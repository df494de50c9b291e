"""What a member waits for: completions of uploads through the whole stack, alone and several at once (PR-07, XX-07)."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CreatePhotoUploadRequest,
    DeletePhotoRequest,
)
from unora_local import members, objects
from unora_local.client import Gateway, Session, request_id
from unora_local.sms_box import SmsBox

from unora_bench.stack import say

AT_ONCE: Final = 4
"""Members who complete an upload at the same time: twice as many as a process has turns."""


@dataclass(frozen=True, slots=True)
class Completions:
    """Of one picture, in milliseconds."""

    name: str
    alone: list[float]
    at_once: list[float]

    def row(self) -> str:
        """A line of a Markdown table."""
        return f"| {self.name} | {' | '.join((*_percentiles(self.alone), *_percentiles(self.at_once)))} |"


HEAD: Final = [
    f"| completion of | p50 ms | p99 ms | p50 ms, {AT_ONCE} at once | p99 ms, {AT_ONCE} at once |",
    "|---|---|---|---|---|",
]


async def measure(gateway: Gateway, box: SmsBox, pictures: Mapping[str, bytes], times: int) -> list[Completions]:
    """Each picture so many times by one member, then as often by several at once."""
    sessions = [await members.sign_up(gateway, box) for _ in range(AT_ONCE)]
    found = []
    for name, data in pictures.items():
        say(f"completions: {name}")
        alone = [await _complete(sessions[0], data) for _ in range(times)]
        rounds = [await asyncio.gather(*(_complete(each, data) for each in sessions)) for _ in range(times)]
        found.append(Completions(name, alone, [spent for each in rounds for spent in each]))
    return found


async def _complete(session: Session, data: bytes) -> float:
    """Uploads a picture, completes the upload, and deletes the photo, so that there is room for the next. Returns the
    milliseconds of the completion.
    """
    profiles = session.gateway.profiles
    content_type = "image/jpeg" if data.startswith(b"\xff\xd8") else "image/heic"
    offer = await session.call(
        profiles.CreatePhotoUpload, CreatePhotoUploadRequest(request_id=request_id(), content_type=content_type)
    )
    await objects.post(offer.url, offer.form_fields, data)
    began = time.perf_counter()
    done = await session.call(
        profiles.CompletePhotoUpload,
        CompletePhotoUploadRequest(request_id=request_id(), photo_id=offer.photo_id),
    )
    spent = (time.perf_counter() - began) * 1000
    await session.call(profiles.DeletePhoto, DeletePhotoRequest(request_id=request_id(), photo_id=done.photo.photo_id))
    return spent


def _percentiles(spent: list[float]) -> tuple[str, str]:
    found = statistics.quantiles(spent, n=100, method="inclusive")
    return f"{found[49]:.0f}", f"{found[98]:.0f}"
