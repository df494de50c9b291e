"""PR-07 to PR-09: when two photos show the same picture, which object shows a size, and when an upload is over."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from unora_identity.domain.photos import (
    Photo,
    PhotoNotFound,
    PhotoRepeated,
    PhotoSize,
    TooManyPhotos,
    Upload,
    UploadRefusal,
    add_photo,
    replace_photo,
    same_picture,
)
from unora_identity.domain.policy import Policy
from unora_identity.store.photos import PHOTO_COLUMNS, photo_of

POLICY = Policy()
ALL_BITS = 2**64 - 1


def photo(fingerprint: int | None) -> Photo:
    return Photo(
        id=uuid4(),
        has_face=True,
        quality_passed=True,
        width=600,
        height=800,
        object_key="full",
        card_key="card",
        thumbnail_key="thumbnail",
        fingerprint=fingerprint,
    )


A, B, UNKNOWN = photo(0), photo(ALL_BITS), photo(None)


@pytest.mark.rule("PR-08")
def test_pictures_are_the_same_up_to_so_many_bits() -> None:
    for first in (0, ALL_BITS, 0x8123_4567_89AB_CDEF):
        for bits in (0, 1, 8, 63):
            other = first ^ (2**bits - 1)
            assert same_picture(first, other, bits)
            assert same_picture(other, first, bits)
            assert not same_picture(first, first ^ (2 ** (bits + 1) - 1), bits)


@pytest.mark.rule("PR-08")
def test_a_new_photo_repeats_none_of_the_others() -> None:
    near = photo(2**POLICY.photo_repeat_bits - 1)
    with pytest.raises(PhotoRepeated) as refused:
        add_photo((B, UNKNOWN, A), near, POLICY)
    assert refused.value.metadata == {"photo_id": str(A.id)}
    far = photo(2 ** (POLICY.photo_repeat_bits + 1) - 1)
    assert add_photo((B, UNKNOWN, A), far, POLICY) == (B, UNKNOWN, A, far)
    assert add_photo((A, UNKNOWN), UNKNOWN, POLICY)


@pytest.mark.rule("PR-08")
def test_a_photo_that_is_replaced_is_not_compared() -> None:
    near = photo(1)
    assert replace_photo((A, B), A.id, near, POLICY) == (near, B)
    with pytest.raises(PhotoRepeated):
        replace_photo((A, B), B.id, near, POLICY)
    with pytest.raises(PhotoNotFound):
        replace_photo((A, B), uuid4(), near, POLICY)


@pytest.mark.rule("PR-02", "PR-08")
def test_a_repeat_that_has_no_room_is_refused_for_the_room() -> None:
    with pytest.raises(TooManyPhotos):
        add_photo((A,) * POLICY.photos_most, A, POLICY)


@pytest.mark.rule("PR-09")
def test_a_size_that_is_not_there_yet_is_shown_by_the_full_one() -> None:
    assert [A.key_of(size) for size in PhotoSize] == ["thumbnail", "card", "full"]
    assert A.keys == {"thumbnail", "card", "full"}
    earlier = replace(A, card_key=None, thumbnail_key=None)
    assert {earlier.key_of(size) for size in PhotoSize} == earlier.keys == {"full"}


@pytest.mark.rule("PR-08")
@pytest.mark.parametrize(
    ("stored", "known"), [(0, 0), (2**63 - 1, 2**63 - 1), (-(2**63), 2**63), (-1, ALL_BITS), (None, None)]
)
def test_a_stored_fingerprint_keeps_all_its_bits(stored: int | None, known: int | None) -> None:
    row = {"id": A.id, "object_key": "full", "has_face": True, "quality_passed": True, "width": 1, "height": 1}
    values = [stored if name == "fingerprint" else row.get(name) for name in PHOTO_COLUMNS]
    assert photo_of(values).fingerprint == known


@pytest.mark.rule("PR-07")
def test_an_upload_is_over_after_two_refusals_and_each_call_keeps_its_own() -> None:
    calls = [UUID(int=1), UUID(int=2)]
    refusals = [UploadRefusal(request_id=call, reason="PHOTO_UNREADABLE", metadata={}) for call in calls]
    for count in range(3):
        upload = Upload(object_key="k", completed=False, refusals=tuple(refusals[:count]))
        assert upload.is_over(POLICY) == (count == 2)
        assert [upload.refusal_of(call) for call in calls[:count]] == refusals[:count]
        assert upload.refusal_of(UUID(int=3)) is None
