"""PR-04, PR-07: links and forms are signed as boto3 signs them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from unora_identity.providers.photo_store import PhotoStore, S3Settings, StoreUnavailable
from unora_identity.providers.s3_signing import Signer

T = TypeVar("T")
LIFE = timedelta(minutes=5)
KEYS = ("photos/1/2/full", "photos/ä b/+/~=&?")
ENDPOINTS = (None, "http://127.0.0.1:9000", "https://s3.example.org", "http://[::1]:80")
REGIONS = ("eu-central-1", "us-east-1")


@pytest.fixture(params=[None, "token/+="])
def token(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The token of a role; None if the credentials are those of the settings."""
    token: str | None = request.param
    for name, value in {"ACCESS_KEY_ID": "access", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": token}.items():
        if token:
            monkeypatch.setenv(f"AWS_{name}", str(value))
    return token


def settings(token: str | None = None, **other: str | None) -> S3Settings:
    keys = {} if token else {"access_key": "access", "secret_key": "secret"}
    return S3Settings(**{"bucket": "photos", "region": "eu-central-1"} | keys | other)  # type: ignore[arg-type]


def theirs(used: S3Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=used.public_endpoint or used.endpoint,
        region_name=used.region,
        aws_access_key_id=used.access_key,
        aws_secret_access_key=used.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.mark.rule("PR-04")
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("public", [None, "https://photos.example.org"])
@pytest.mark.parametrize("key", KEYS)
def test_a_link_is_the_one_that_boto3_would_make(
    key: str, endpoint: str | None, public: str | None, region: str, token: str | None
) -> None:
    used = settings(token, endpoint=endpoint, public_endpoint=public, region=region)
    store, client = PhotoStore(used), theirs(used)
    ours, expected = _in_one_second(
        lambda: store.link(key, life=LIFE),
        lambda: client.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": key}, ExpiresIn=300),
    )
    assert ours == expected
    store.close()


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("key", KEYS)
def test_a_form_is_the_one_that_boto3_would_make(
    key: str, endpoint: str | None, region: str, token: str | None
) -> None:
    used = settings(token, endpoint=endpoint, region=region)
    store, client = PhotoStore(used), theirs(used)
    form, expected = _in_one_second(
        lambda: store.upload_form(key, content_type="image/jpeg", most_bytes=1000, life=LIFE),
        lambda: client.generate_presigned_post(
            "photos",
            key,
            Fields={"Content-Type": "image/jpeg"},
            Conditions=[{"Content-Type": "image/jpeg"}, ["content-length-range", 1, 1000]],
            ExpiresIn=300,
        ),
    )
    assert {"url": form.url, "fields": form.fields} == expected
    store.close()


def test_an_endpoint_that_is_no_address_is_refused_at_the_start() -> None:
    for endpoint in ("127.0.0.1:9000", "ftp://127.0.0.1", "http://"):
        for other in ({"public_endpoint": endpoint}, {"endpoint": endpoint, "public_endpoint": "https://example.org"}):
            with pytest.raises(ValueError, match="is no address of an object store"):
                PhotoStore(settings(**other))


def test_nothing_is_signed_without_credentials() -> None:
    def none() -> Any:
        raise StoreUnavailable

    signer = Signer(none, endpoint="http://127.0.0.1:9000", bucket="photos", region="eu-central-1")
    with pytest.raises(StoreUnavailable):
        signer.link("a", life=LIFE)
    with pytest.raises(StoreUnavailable):
        signer.form("a", content_type="image/jpeg", most_bytes=1, life=LIFE)


def _in_one_second(ours: Callable[[], T], expected: Callable[[], Any]) -> tuple[T, Any]:
    """Both results, made again if the second changed between: the time is a part of what is signed."""
    while True:
        second = int(time.time())
        pair = ours(), expected()
        if int(time.time()) == second:
            return pair
