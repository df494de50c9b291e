"""Attacks with pictures: one file, uploaded and completed again and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import grpc
from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CompletePhotoUploadResponse,
    CreatePhotoUploadRequest,
    CreatePhotoUploadResponse,
    DeletePhotoRequest,
)
from unora_common.grpc_errors import reason_of
from unora_local import objects
from unora_local.client import request_id

from unora_attack.floods import again_and_again, connections
from unora_attack.orders import Orders, Record, Tally
from unora_attack.stack import GATEWAY, call

PROFILES: Final = "identity.v1.ProfileService"
COMPLETIONS: Final = 2
"""So often a file is looked at that is no picture; then its upload is over (PR-07)."""
AT_ONCE: Final = 2
"""Uploads at once: of one member, no more are looked at."""
BUSY: Final = "PHOTO_WORK_BUSY"


class TooManyUploads(Exception):
    """This member has offered as many uploads as they may (PR-07), and can go on in an hour."""

    reason = "TOO_MANY_UPLOADS"


class Uploader:
    """One member with one file."""

    def __init__(self, orders: Orders, token: str) -> None:
        self._token = token
        self._content_type = orders.content_type
        self._file = Path(orders.file).read_bytes()
        self._channel = orders.target.channel("identity")

    async def post(self) -> str:
        """Offers and posts one upload; returns its id. Raises TooManyUploads."""
        request = CreatePhotoUploadRequest(request_id=request_id(), content_type=self._content_type)
        method = f"{PROFILES}/CreatePhotoUpload"
        try:
            answer = await call(self._channel, method, request.SerializeToString(), token=self._token)
        except grpc.aio.AioRpcError as error:
            if reason_of(error) == TooManyUploads.reason:
                raise TooManyUploads from None
            raise
        offer = CreatePhotoUploadResponse.FromString(answer)
        await objects.post(offer.url, offer.form_fields, self._file)
        return offer.photo_id

    async def complete(self, photo_id: str, channel: grpc.aio.Channel | None = None) -> str:
        """Completes an upload; returns the id of the photo."""
        request = CompletePhotoUploadRequest(request_id=request_id(), photo_id=photo_id)
        method, data = f"{PROFILES}/CompletePhotoUpload", request.SerializeToString()
        answer = await call(channel or self._channel, method, data, token=self._token, seconds=60)
        return CompletePhotoUploadResponse.FromString(answer).photo.photo_id

    async def delete(self, photo_id: str) -> None:
        """Makes room for the next."""
        request = DeletePhotoRequest(request_id=request_id(), photo_id=photo_id)
        await call(self._channel, f"{PROFILES}/DeletePhoto", request.SerializeToString(), token=self._token)


async def complete_at_once(orders: Orders) -> Tally:
    """One upload, and hundreds of calls at once that complete it; again with another upload when that one is over."""
    uploader = Uploader(orders, orders.token)
    channels = connections(orders.target, "identity", GATEWAY)
    offered = await uploader.post()
    renewing = asyncio.Lock()

    async def renew(used: str, photo: str | None = None) -> None:
        nonlocal offered
        async with renewing:
            if offered != used:
                return
            with suppress(grpc.aio.AioRpcError, TooManyUploads):  # too many calls already: the next one renews
                if photo is not None:
                    await uploader.delete(photo)
                offered = await uploader.post()

    async def one(number: int) -> None:
        used = offered
        try:
            photo = await uploader.complete(used, channels[number % len(channels)])
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                await renew(used)
            raise
        await renew(used, photo)

    return await again_and_again(orders.seconds, one)


async def upload_and_complete(orders: Orders) -> Tally:
    """One member uploads the file and completes it, twice at once, again and again; then the next, when this one may
    upload no more. Only completions are recorded.
    """
    record = Record(orders.seconds)

    async def worker() -> None:
        for token in orders.tokens:
            uploader = Uploader(orders, token)
            with suppress(TooManyUploads):
                while record.going_on:
                    await _upload(uploader, record)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return record.tally()


async def _upload(uploader: Uploader, record: Record) -> None:
    """One upload until it is a photo, which is deleted, or over."""
    photo_id, refusals = await uploader.post(), 0
    while refusals < COMPLETIONS:
        try:
            async with record.one(again=True):
                done = await uploader.complete(photo_id)
        except grpc.aio.AioRpcError as error:
            if reason_of(error) != BUSY:
                refusals += 1
            elif record.going_on:
                await asyncio.sleep(0.2)  # as an app that is told to try again later
            else:
                return
        else:
            await uploader.delete(done)
            return
