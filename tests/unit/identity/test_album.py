"""PR-02: what may be done with a member's photos."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from unora_common.errors import DomainError
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import FacePhotoNeeded, Member, TooFewPhotos, require_still_ready
from unora_identity.domain.photos import (
    Photo,
    PhotoNotFound,
    PhotoOrderInvalid,
    remove_photo,
    reorder_photos,
    replace_photo,
)
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Gender, Profile

pytestmark = pytest.mark.rule("PR-02")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def photo(*, has_face: bool = True) -> Photo:
    return Photo(id=uuid4(), has_face=has_face, quality_passed=True, width=600, height=800, object_key="k")


A, B, C = photo(), photo(has_face=False), photo(has_face=False)
READY = Member(
    profile=Profile(
        name="Ada", date_of_birth=date(1990, 1, 1), gender=Gender.WOMAN, city="London", time_zone="Europe/London"
    ),
    photos=(A, B, C),
    hobbies=(Hobby("chess", "slow"), Hobby("hiking", "early")),
)


def test_later_photos_move_up() -> None:
    assert remove_photo((A, B, C), B.id) == (A, C)


def test_the_new_one_takes_the_place_of_the_old() -> None:
    new = photo()
    assert replace_photo((A, B, C), B.id, new, Policy()) == (A, new, C)


def test_an_order_names_each_once() -> None:
    assert reorder_photos((A, B, C), [C.id, A.id, B.id]) == (C, A, B)
    for order in ([A.id, B.id], [A.id, B.id, B.id], [A.id, B.id, C.id, A.id], [A.id, B.id, uuid4()], []):
        with pytest.raises(PhotoOrderInvalid):
            reorder_photos((A, B, C), order)


def test_an_unknown_photo_is_not_found() -> None:
    unknown = uuid4()
    with pytest.raises(PhotoNotFound):
        remove_photo((A,), unknown)
    with pytest.raises(PhotoNotFound):
        replace_photo((A,), unknown, B, Policy())


@pytest.mark.parametrize(
    ("after", "refusal"),
    [((A, B), TooFewPhotos), ((B, C, photo(has_face=False)), FacePhotoNeeded), ((B, C), TooFewPhotos)],
)
def test_a_ready_member_stays_ready(after: tuple[Photo, ...], refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        require_still_ready(READY, replace(READY, photos=after), NOW, Policy())
    unready = replace(READY, hobbies=())
    require_still_ready(unready, replace(unready, photos=after), NOW, Policy())
