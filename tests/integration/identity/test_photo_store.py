"""PR-04, PR-07: the object store, on a real S3."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import load
from unora_common.metrics import Metrics
from unora_common.provider_calls import OUTCOMES, ProviderCalls
from unora_identity.config import IdentityConfig
from unora_identity.providers.photo_store import (
    ObjectMissing,
    ObjectTooLarge,
    PhotoStore,
    S3Settings,
    StoreUnavailable,
    UploadForm,
)
from unora_identity.resources import make_resources
from unora_sdk.environment import ConfigError
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.identity.objects import fetch, post
from tests.measures import provider_calls

MINUTE = timedelta(minutes=1)
BUCKET = "photos"


@pytest.fixture(scope="module")
def store(testbed: Testbed) -> Iterator[PhotoStore]:
    store = PhotoStore(settings(testbed, testbed.secret), provider_calls("s3"))
    yield store
    store.close()


def settings(testbed: Testbed, secret: str) -> S3Settings:
    return S3Settings(bucket=BUCKET, endpoint=testbed.s3, access_key="unora-test", secret_key=secret)


@pytest.fixture
def key() -> str:
    return f"photos/{uuid.uuid4()}"


async def posted(upload: UploadForm, data: bytes, **other_fields: str) -> int:
    return await post(upload.url, upload.fields | other_fields, data)


def offer(store: PhotoStore, key: str, most_bytes: int = 1000, life: timedelta = MINUTE) -> UploadForm:
    return store.upload_form(key, content_type="image/jpeg", most_bytes=most_bytes, life=life)


@pytest.mark.rule("PR-07")
async def test_what_a_client_posts_can_be_read(store: PhotoStore, key: str) -> None:
    assert await posted(offer(store, key), b"x" * 1000) in (200, 204)
    assert await store.get(key, most_bytes=1000) == b"x" * 1000


@pytest.mark.rule("PR-07")
async def test_the_store_refuses_what_was_not_offered(store: PhotoStore, key: str) -> None:
    upload = offer(store, key)
    assert await posted(upload, b"x" * 1001) in (400, 403)
    assert await posted(upload, b"") in (400, 403)
    assert await posted(upload, b"x", **{"Content-Type": "text/html"}) == 403
    assert await posted(upload, b"x", key=f"{key}-of-another") == 403
    assert await posted(offer(store, key, life=-MINUTE), b"x") in (400, 403)
    for untouched in (key, f"{key}-of-another"):
        with pytest.raises(ObjectMissing):
            await store.get(untouched, most_bytes=1000)


async def test_requests_to_the_store_are_measured_and_a_link_is_none(testbed: Testbed, key: str) -> None:
    metrics = Metrics(COMMON_METRICS)
    measured = PhotoStore(settings(testbed, testbed.secret), ProviderCalls("s3", metrics))
    await measured.put(key, b"picture", content_type="image/jpeg")
    measured.link(key, life=MINUTE)
    with pytest.raises(ObjectTooLarge):
        await measured.get(key, most_bytes=1)
    await measured.delete(key)
    with pytest.raises(ObjectMissing):
        await measured.get(key, most_bytes=1)
    measured.close()
    name, value = "unora_provider_call_duration_seconds_count", metrics.registry.get_sample_value
    counted = {each: value(name, {"provider": "s3", "outcome": each}) for each in OUTCOMES}
    assert counted == {"ok": 3, "refused": 1, "failed": 0}


@pytest.mark.rule("PR-04")
async def test_a_link_shows_one_object_for_its_time(store: PhotoStore, testbed: Testbed, key: str) -> None:
    await store.put(key, b"picture", content_type="image/jpeg")
    assert await fetch(store.link(key, life=MINUTE)) == (200, b"picture")
    assert (await fetch(f"{testbed.s3}/{BUCKET}/{key}"))[0] == 403
    assert (await fetch(store.link(key, life=MINUTE).replace(key, f"{key}x")))[0] == 403


async def test_reading_is_bounded(store: PhotoStore, key: str) -> None:
    await store.put(key, b"x" * 1001, content_type="image/jpeg")
    with pytest.raises(ObjectTooLarge):
        await store.get(key, most_bytes=1000)


@pytest.mark.rule("ID-09")
async def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: PhotoStore, key: str) -> None:
    await store.put(key, b"picture", content_type="image/jpeg")
    await store.delete(key)
    await store.delete(key)
    with pytest.raises(ObjectMissing):
        await store.get(key, most_bytes=1000)


async def test_refusals_of_the_store_are_reported_as_unavailable(testbed: Testbed, key: str) -> None:
    stranger = PhotoStore(settings(testbed, "wrong"), provider_calls("s3"))
    for call in (
        stranger.get(key, most_bytes=1),
        stranger.put(key, b"x", content_type="image/jpeg"),
        stranger.delete(key),
    ):
        with pytest.raises(StoreUnavailable):
            await call
    stranger.close()


@pytest.mark.parametrize("name", ["UNORA_S3_ENDPOINT", "UNORA_S3_PUBLIC_ENDPOINT"])
def test_an_address_that_is_none_ends_the_start(world: World, name: str) -> None:
    config = load(IdentityConfig, world.variables("identity") | {name: "127.0.0.1:9000"})
    with pytest.raises(ConfigError, match=name):
        make_resources(config, Metrics(COMMON_METRICS))
