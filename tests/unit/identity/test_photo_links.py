"""PR-04: links are signed as the client of the object store would sign them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from unora_identity.providers.photo_store import PhotoStore, S3Settings

from tests.measures import provider_calls


@pytest.mark.rule("PR-04")
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9000", "https://s3.example.org"])
@pytest.mark.parametrize("public", [None, "https://photos.example.org"])
def test_a_link_is_the_one_that_the_client_would_make(endpoint: str | None, public: str | None) -> None:
    store = PhotoStore(
        S3Settings(
            bucket="photos",
            endpoint=endpoint,
            public_endpoint=public,
            region="eu-central-1",
            access_key="access",
            secret_key="secret",
        ),
        provider_calls("s3"),
    )
    try:
        for key in ("photos/1/2/full", "photos/ä b/+/~=&?"):
            assert _in_one_second(store, key)
    finally:
        store.close()


def _in_one_second(store: PhotoStore, key: str) -> bool:
    """Signs twice, again if the second changed between: the date is a part of what is signed."""
    while True:
        ours = store.link(key, life=timedelta(minutes=5))
        theirs = store._signer.generate_presigned_url(
            "get_object", Params={"Bucket": "photos", "Key": key}, ExpiresIn=300
        )
        if parse_qs(urlsplit(ours).query)["X-Amz-Date"] == parse_qs(urlsplit(theirs).query)["X-Amz-Date"]:
            return ours == theirs
