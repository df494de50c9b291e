"""The object store of photos and exports: S3 everywhere, also on one machine. Its objects are private (PR-04).

Only a signed request for one object, valid for minutes, opens the bucket. boto3 blocks, so each call over the network
runs in a thread. Signed requests expire by the machine's clock. boto3 is imported when a store is made, so
that a process without one does not pay for it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from unora_common.errors import Unavailable
from unora_common.provider_calls import ProviderCalls

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

SUCCESS: Final = {"GET": 200, "PUT": 200, "POST": 200, "DELETE": 204}
"""The status of an answer without an error, by the method of the request."""
_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class StoreUnavailable(Unavailable):
    """The object store did not answer, or refused the request. The member cannot change that."""

    reason = "PHOTO_STORE_UNAVAILABLE"
    sentence = "Photos cannot be stored at the moment. Try again in a minute."


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

    def __init__(self, settings: S3Settings, calls: ProviderCalls) -> None:
        self.bucket = settings.bucket
        self._calls = calls
        self.client = _client(settings, settings.endpoint)
        public = settings.public_endpoint or settings.endpoint
        self._signer = self.client if public == settings.endpoint else _client(settings, public)
        self._links = _Links(settings, f"{self._signer.meta.endpoint_url}/{settings.bucket}/")

    def upload_form(self, key: str, *, content_type: str, most_bytes: int, life: timedelta) -> UploadForm:
        """PR-07: permission to store one object under `key`, up to `most_bytes`, of this type, within `life`. Makes no
        call over the network.

        The store enforces all of it, so that a file that is too large is never accepted. The type is only the client's
        claim; the real type is read from the bytes.
        """
        form = self._signer.generate_presigned_post(
            self.bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, most_bytes]],
            ExpiresIn=int(life.total_seconds()),
        )
        return UploadForm(form["url"], {name: str(value) for name, value in form["fields"].items()})

    def link(self, key: str, *, life: timedelta) -> str:
        """PR-04: an address that shows one object to everyone who has it, for `life`: give it only to a member who may
        see the photo. Makes no call over the network.
        """
        return self._links.sign(key, int(life.total_seconds()))

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
        self.client.close()
        self._signer.close()

    @contextmanager
    def request(self, method: str, missing: frozenset[str] = frozenset()) -> Iterator[None]:
        """A block around one request of `client` and the reading of its answer. An error with one of the codes in
        `missing` becomes ObjectMissing, boto's other errors StoreUnavailable.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            with self._calls.call(method, self.client.meta.endpoint_url) as call:
                try:
                    yield
                except ClientError as error:
                    call.answered(error.response["ResponseMetadata"]["HTTPStatusCode"])
                    raise
                call.answered(SUCCESS[method])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in missing:
                raise ObjectMissing from None
            raise StoreUnavailable from error
        except BotoCoreError as error:
            raise StoreUnavailable from error

    def _get(self, key: str, most_bytes: int) -> bytes:
        with self.request("GET", missing=_MISSING):
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            with answer["Body"] as body:
                data = body.read() if answer["ContentLength"] <= most_bytes else None
        if data is None:
            raise ObjectTooLarge(key)
        return data

    def _put(self, key: str, data: bytes, content_type: str) -> None:
        with self.request("PUT"):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def _delete(self, key: str) -> None:
        with self.request("DELETE"):
            self.client.delete_object(Bucket=self.bucket, Key=key)


class _Links:
    """Signs links with botocore's signer alone: `generate_presigned_url` of a client gives the same link, and takes
    three times as long. A list of photos has up to 18 links.
    """

    def __init__(self, settings: S3Settings, prefix: str) -> None:
        import boto3

        session = boto3.Session(aws_access_key_id=settings.access_key, aws_secret_access_key=settings.secret_key)
        self._credentials = session.get_credentials()
        self._region = settings.region
        self._prefix = prefix

    def sign(self, key: str, seconds: int) -> str:
        """The address of an object, valid for so long. Raises StoreUnavailable if there are no credentials."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        if self._credentials is None:
            raise StoreUnavailable
        request = AWSRequest("GET", self._prefix + quote(key))
        credentials = self._credentials.get_frozen_credentials()
        S3SigV4QueryAuth(credentials, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.prepare().url)


def _client(settings: S3Settings, endpoint: str | None) -> "S3Client":
    import boto3
    from botocore.config import Config

    client: S3Client = boto3.client(
        "s3",
        endpoint_url=endpoint,
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
