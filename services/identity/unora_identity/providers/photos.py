"""The object store of photos: S3 everywhere, the one on the machine included. Photos are private (PR-04).

What opens the bucket is a signed request for one object, for minutes. boto3 blocks, so each call over the
network runs in a thread. Expiry of signed requests is judged by the machine's clock.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from unora_common.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class StoreUnavailable(Unavailable):
    """The object store did not answer, or refused us. Nothing that the member could change."""

    reason = "PHOTO_STORE_UNAVAILABLE"


class ObjectMissing(Exception):
    """Nothing has been stored under this key."""


class ObjectTooLarge(Exception):
    """There is an object, and it has more bytes than the caller is willing to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """Where the store is. `public_endpoint` is what clients see, if it is another: signatures cover the host."""

    bucket: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """A form that a client posts as multipart/form-data, these fields first and the file last."""

    url: str
    fields: dict[str, str] = field(repr=False)


class PhotoStore:
    """Objects by key, in one bucket."""

    def __init__(self, settings: S3Settings) -> None:
        self._bucket = settings.bucket
        self._client = _client(settings, settings.endpoint)
        self._signer = _client(settings, settings.public_endpoint or settings.endpoint)

    def offer_upload(self, key: str, *, content_type: str, most_bytes: int, life: timedelta) -> Upload:
        """PR-07: leave to store one object under `key`, up to `most_bytes`, of this type, within `life`. No network.

        The store enforces all of it, so that what is too big is never taken. The type is only what the client says;
        what it is gets read from the bytes.
        """
        form = self._signer.generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, most_bytes]],
            ExpiresIn=int(life.total_seconds()),
        )
        return Upload(form["url"], {name: str(value) for name, value in form["fields"].items()})

    def link(self, key: str, *, life: timedelta) -> str:
        """PR-04: an address that shows one object to whoever has it, for `life`: give it only to who may see it."""
        return self._signer.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=int(life.total_seconds())
        )

    async def get(self, key: str, *, most_bytes: int) -> bytes:
        """The object; ObjectMissing, or ObjectTooLarge without reading further than `most_bytes`."""
        return await asyncio.to_thread(self._get, key, most_bytes)

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store `data`, in place of what was there."""
        await asyncio.to_thread(self._put, key, data, content_type)

    async def delete(self, key: str) -> None:
        """Gone afterwards, also if it never was: a repeat does no harm."""
        await asyncio.to_thread(self._delete, key)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        self._signer.close()

    def _get(self, key: str, most_bytes: int) -> bytes:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with answer["Body"] as body:
                if answer["ContentLength"] > most_bytes:
                    raise ObjectTooLarge(key)
                return body.read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                raise ObjectMissing(key) from None
            raise StoreUnavailable from error
        except BotoCoreError as error:
            raise StoreUnavailable from error

    def _put(self, key: str, data: bytes, content_type: str) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable from error

    def _delete(self, key: str) -> None:
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable from error


def _client(settings: S3Settings, endpoint: str | None) -> "S3Client":
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=Config(
            signature_version="s3v4",
            # Path style needs no DNS name per bucket; the newer trailing checksums are not understood by every S3.
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    return client
