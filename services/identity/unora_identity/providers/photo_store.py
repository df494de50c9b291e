"""The object store of photos: S3 everywhere, also on one machine. Photos are private (PR-04).

Only a signed request for one object, valid for minutes, opens the bucket. boto3 blocks, so each call over the network
runs in a thread. Signed requests expire by the machine's clock. boto3 takes 26 MB, so it is imported when a process is
about to use it: at the first call over the network, or at the start if it must find the credentials or the address.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from unora_common.errors import Unavailable

from unora_identity.providers.s3_signing import Credentials, Signer, host_of

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class StoreUnavailable(Unavailable):
    """The object store did not answer, or refused the request. The member cannot change that."""

    reason = "PHOTO_STORE_UNAVAILABLE"


class ObjectMissing(Exception):
    """There is no object under this key."""


class ObjectTooLarge(Exception):
    """The object has more bytes than the caller wants to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """The address of the store. `public_endpoint` is the one that clients use, if it differs: signatures cover the
    host.
    """

    bucket: str
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form that a client posts as multipart/form-data: these fields first, the file last."""

    url: str
    fields: dict[str, str] = field(repr=False)


class PhotoStore:
    """The objects of one bucket, by key."""

    def __init__(self, settings: S3Settings) -> None:
        """Makes no call over the network. Raises ValueError if an address is none."""
        self._settings = settings
        self._bucket = settings.bucket
        self._made: S3Client | None = None
        self._making = Lock()
        if settings.endpoint:
            host_of(settings.endpoint)  # raises now what the client would raise at its first call
        endpoint = settings.public_endpoint or settings.endpoint or self._client().meta.endpoint_url
        self._signer = Signer(_credentials(settings), endpoint=endpoint, bucket=self._bucket, region=settings.region)

    def upload_form(self, key: str, *, content_type: str, most_bytes: int, life: timedelta) -> UploadForm:
        """PR-07: permission to store one object under `key`, up to `most_bytes`, of this type, within `life`. Makes no
        call over the network. Raises StoreUnavailable if there are no credentials.

        The store enforces all of it, so that a file that is too large is never accepted. The type is only the client's
        claim; the real type is read from the bytes.
        """
        return UploadForm(*self._signer.form(key, content_type=content_type, most_bytes=most_bytes, life=life))

    def link(self, key: str, *, life: timedelta) -> str:
        """PR-04: an address that shows one object to everyone who has it, for `life`: give it only to a member who may
        see the photo. Makes no call over the network. Raises StoreUnavailable if there are no credentials.
        """
        return self._signer.link(key, life=life)

    def prepare(self) -> None:
        """Loads what calls over the network need, in a thread, so that the first one does not wait for it."""
        if self._made is None and not self._making.locked():
            Thread(target=self._prepare, daemon=True).start()

    async def get(self, key: str, *, most_bytes: int) -> bytes:
        """The object. Raises ObjectMissing, or ObjectTooLarge before it reads more than `most_bytes`."""
        return await asyncio.to_thread(self._get, key, most_bytes)

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Stores `data`, in place of an object with the same key."""
        await asyncio.to_thread(self._put, key, data, content_type)

    async def delete(self, key: str) -> None:
        """Deletes the object, if there is one: a repeat does no harm."""
        await asyncio.to_thread(self._delete, key)

    def close(self) -> None:
        """Closes the connections."""
        with self._making:
            if self._made is not None:
                self._made.close()

    def _get(self, key: str, most_bytes: int) -> bytes:
        with _store_errors(missing=_MISSING):
            answer = self._client().get_object(Bucket=self._bucket, Key=key)
            with answer["Body"] as body:
                if answer["ContentLength"] > most_bytes:
                    raise ObjectTooLarge(key)
                return body.read()

    def _put(self, key: str, data: bytes, content_type: str) -> None:
        with _store_errors():
            self._client().put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    def _delete(self, key: str) -> None:
        with _store_errors():
            self._client().delete_object(Bucket=self._bucket, Key=key)

    def _prepare(self) -> None:
        with suppress(Exception):  # the call that needs it will tell
            self._client()

    def _client(self) -> "S3Client":
        """One per process. Calls run in threads, and threads may share it."""
        with self._making:
            if self._made is None:
                self._made = _client(self._settings)
            return self._made


def _credentials(settings: S3Settings) -> Callable[[], Credentials]:
    """What gives the credentials at each signature: those of the settings, or those that boto3 finds."""
    if settings.access_key and settings.secret_key:
        given = Credentials(settings.access_key, settings.secret_key)
        return lambda: given
    import boto3

    session = boto3.Session(aws_access_key_id=settings.access_key, aws_secret_access_key=settings.secret_key)
    found = session.get_credentials()

    def current() -> Credentials:
        frozen = found.get_frozen_credentials() if found else None
        if frozen is None or frozen.access_key is None or frozen.secret_key is None:
            raise StoreUnavailable
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return current


@contextmanager
def _store_errors(missing: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turns an error with one of the codes in `missing` into ObjectMissing, and boto's other errors into
    StoreUnavailable.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in missing:
            raise ObjectMissing from None
        raise StoreUnavailable from error
    except BotoCoreError as error:
        raise StoreUnavailable from error


def _client(settings: S3Settings) -> "S3Client":
    import boto3
    from botocore.config import Config

    client: S3Client = boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=Config(
            signature_version="s3v4",
            # Path style needs no DNS name per bucket; not every S3 understands the newer trailing checksums.
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )
    return client
