"""Page tokens: opaque, and valid only for the list and the member that they were made for."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.errors import InvalidArgument
from unora_common.ids import uuid7
from unora_common.pages import Listing, Place

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
PLACE = Place(datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), uuid7())


@given(MOMENTS, st.uuids())
def test_a_token_leads_back_to_its_place(at: datetime, identifier: object) -> None:
    listing = Listing("interests", uuid7())
    place = Place(at, identifier)  # type: ignore[arg-type]
    token = listing.token(place)
    assert listing.place(token) == place
    assert len(token) <= 200  # the contract's bound


def test_without_a_token_a_list_begins_at_its_start() -> None:
    assert Listing("interests", uuid7()).place("") is None


@pytest.mark.rule("XX-04")
def test_a_token_of_another_member_or_list_is_refused() -> None:
    mine = Listing("interests", uuid7())
    for other in (Listing("interests", uuid7()), Listing("connections", mine.member)):
        with pytest.raises(InvalidArgument) as refused:
            mine.place(other.token(PLACE))
        assert list(refused.value.violations) == ["page_token"]


@given(st.one_of(st.text(min_size=1, max_size=200), st.binary(min_size=1, max_size=150).map(urlsafe_b64encode)))
def test_anything_else_than_a_token_is_refused_and_no_other_error_is_raised(token: str | bytes) -> None:
    text = token if isinstance(token, str) else token.decode()
    with pytest.raises(InvalidArgument):
        Listing("interests", uuid7()).place(text)


def test_a_place_outside_of_time_is_refused() -> None:
    listing = Listing("interests", uuid7())
    packed = (2**63 - 1).to_bytes(8, "big") + PLACE.id.bytes
    token = urlsafe_b64encode(listing._seal(packed) + packed).decode()
    with pytest.raises(InvalidArgument):
        listing.place(token)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_hold_each_item_once(count: int, size: int) -> None:
    listing = Listing("interests", uuid7())
    places = [Place(PLACE.at, uuid7()) for _ in range(count)]
    seen: list[Place] = []
    token = ""
    while True:
        after = listing.place(token)
        start = 0 if after is None else places.index(after) + 1
        page, token = listing.page(places[start : start + size + 1], size, lambda place: place)
        assert len(page) <= size
        seen += page
        if not token:
            break
    assert seen == places
