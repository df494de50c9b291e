"""An object of the object store that is stored part by part, so that it is never whole in memory (ID-10)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from unora_identity.providers.photo_store import ObjectMissing, PhotoStore

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

_ABORTED: Final = frozenset({"NoSuchUpload", "404"})
PART_BYTES: Final = 8 * 2**20
"""The size of a part; S3 takes none below 5 MiB but the last, and at most 10,000."""


async def begin_upload(store: PhotoStore, key: str, *, content_type: str) -> PartsUpload:
    """Begins an object. It is there, in place of one with the same key, when its upload is completed."""
    return await asyncio.to_thread(_begin, store, key, content_type)


async def abort_uploads(store: PhotoStore, key: str) -> None:
    """Ends all uploads of this object that were begun and not completed, and deletes their parts: a process that goes
    on with one fails.
    """
    await asyncio.to_thread(_abort_all, store, key)


class PartsUpload:
    """An object that is being stored."""

    def __init__(self, store: PhotoStore, key: str, upload: str) -> None:
        self._store, self._client, self._bucket = store, store.client, store.bucket
        self._key, self._upload = key, upload
        self._parts: list[CompletedPartTypeDef] = []

    async def add(self, part: bytes) -> None:
        """Stores the next part: at least PART_BYTES, except the last. Raises StoreUnavailable, or ObjectMissing when
        the upload was aborted.
        """
        await asyncio.to_thread(self._add, part)

    async def complete(self) -> None:
        """The object is there. Raises as `add` does."""
        await asyncio.to_thread(self._complete)

    async def abort(self) -> None:
        """Deletes the parts. A repeat does no harm."""
        await asyncio.to_thread(self.abort_now)

    def abort_now(self) -> None:
        """The same, and blocks."""
        try:
            with self._store.request("DELETE", missing=_ABORTED):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload)
        except ObjectMissing:
            pass

    def _add(self, part: bytes) -> None:
        number = len(self._parts) + 1
        with self._store.request("PUT", missing=_ABORTED):
            stored = self._client.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload, PartNumber=number, Body=part
            )
        self._parts.append({"ETag": stored["ETag"], "PartNumber": number})

    def _complete(self) -> None:
        with self._store.request("POST", missing=_ABORTED):
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload,
                MultipartUpload={"Parts": self._parts},
            )


def _begin(store: PhotoStore, key: str, content_type: str) -> PartsUpload:
    with store.request("POST"):
        begun = store.client.create_multipart_upload(Bucket=store.bucket, Key=key, ContentType=content_type)
    return PartsUpload(store, key, begun["UploadId"])


def _abort_all(store: PhotoStore, key: str) -> None:
    with store.request("GET"):
        found = store.client.list_multipart_uploads(Bucket=store.bucket, Prefix=key)
    for upload in found.get("Uploads", []):
        if upload["Key"] == key:
            PartsUpload(store, key, upload["UploadId"]).abort_now()
