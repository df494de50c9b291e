"""RE-04, PR-09: the partner's photos are handed through with a link for each size."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from unora.identity.v1.directory_service_pb2 import DisclosedPhoto, GetDisclosureResponse
from unora_common.messages import to_timestamp
from unora_reveal.messages import from_disclosure, to_identity

EXPIRES = datetime(2026, 1, 10, 12, 5, tzinfo=UTC)


def disclosed(**links: str) -> GetDisclosureResponse:
    photo = DisclosedPhoto(photo_id=str(UUID(int=7)), url_expires_at=to_timestamp(EXPIRES), **links)
    return GetDisclosureResponse(name="Ada", photos=[photo])


@pytest.mark.rule("RE-04", "PR-09")
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param(
            {"url": "full", "card_url": "card", "thumbnail_url": "thumbnail"}, ("full", "card", "thumbnail"), id="sizes"
        ),
        pytest.param({"url": "full"}, ("full", "full", "full"), id="an identity service of the version before"),
    ],
)
def test_each_size_has_a_link(given: dict[str, str], shown: tuple[str, str, str]) -> None:
    content = to_identity(from_disclosure(disclosed(**given)))
    (photo,) = content.photos
    assert content.name == "Ada"
    assert (photo.photo_id, photo.url_expires_at.ToDatetime(UTC)) == (str(UUID(int=7)), EXPIRES)
    assert (photo.url, photo.card_url, photo.thumbnail_url) == shown
