"""ID-10: a zip file goes into the object store part by part, and memory holds one part."""

from __future__ import annotations

import io
import os
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Iterator
from zipfile import ZipFile

import pytest
from unora_identity.providers.parts_upload import PART_BYTES, abort_uploads, begin_upload
from unora_identity.providers.photo_store import ObjectMissing, PhotoStore
from unora_identity.providers.zip_parts import ZipParts
from unora_testing.testbed import Testbed

from tests.integration.identity.archives import open_uploads
from tests.integration.identity.test_photo_store import settings
from tests.measures import provider_calls

pytestmark = pytest.mark.rule("ID-10")
MADE_AT = (2030, 1, 2, 3, 4, 6)


@pytest.fixture(scope="module")
def store(testbed: Testbed) -> Iterator[PhotoStore]:
    store = PhotoStore(settings(testbed, testbed.secret), provider_calls("s3"))
    yield store
    store.close()


@pytest.fixture
def key() -> str:
    return f"exports/{uuid.uuid4()}.zip"


async def archive_of(store: PhotoStore, key: str) -> ZipParts:
    return ZipParts(await begin_upload(store, key, content_type="application/zip"), MADE_AT)


async def pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number]) * size


async def test_a_file_of_many_parts_is_whole(store: PhotoStore, key: str) -> None:
    archive = await archive_of(store, key)
    pictures = {f"photos/{number}.jpg": os.urandom(5 * 2**20) for number in range(4)}
    await archive.add_pieces("streak.json", pieces(30, 1000))
    for name, picture in pictures.items():
        await archive.add(name, picture)
    with pytest.raises(ObjectMissing):
        await store.get(key, most_bytes=10**9)
    await archive.close()
    assert archive.size > 2 * PART_BYTES, "one part only: the test shows nothing"
    stored = await store.get(key, most_bytes=10**9)
    assert len(stored) == archive.size
    unpacked = ZipFile(io.BytesIO(stored))
    assert unpacked.testzip() is None
    assert unpacked.namelist() == ["streak.json", *pictures]
    assert unpacked.read("streak.json") == b"".join([each async for each in pieces(30, 1000)])
    assert all(unpacked.read(name) == picture for name, picture in pictures.items())
    assert {info.date_time for info in unpacked.infolist()} == {MADE_AT}


async def test_memory_does_not_grow_with_the_file(store: PhotoStore, key: str) -> None:
    archive, picture = await archive_of(store, key), os.urandom(2**20)
    await archive.add("first.jpg", picture)
    tracemalloc.start()
    try:
        for number in range(60):
            await archive.add(f"{number}.jpg", picture)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await archive.close()
    assert archive.size > 60 * 2**20
    assert peak < 4 * PART_BYTES
    await store.delete(key)


async def test_an_upload_that_was_aborted_cannot_go_on(store: PhotoStore, key: str) -> None:
    archive = await archive_of(store, key)
    await archive.add("one.jpg", os.urandom(PART_BYTES))
    assert await open_uploads(store, key) == [key]
    await abort_uploads(store, key)
    assert await open_uploads(store, key) == []
    with pytest.raises(ObjectMissing):
        await archive.close()
    await abort_uploads(store, key)  # a repeat does no harm
    with pytest.raises(ObjectMissing):
        await store.get(key, most_bytes=10**9)
