"""XX-04: what others see of a member does not tell when the member signed up or uploaded a photo."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.integration.identity.people import People

RANDOM = 4
"""The version of a UUID that has no time in it."""


@pytest.mark.rule("XX-04")
async def test_the_id_of_a_member_is_random(people: People) -> None:
    signed = await people.sign_in()
    assert signed.member.user.version == RANDOM
    (user,) = await people.rows("users", id=signed.member.user)
    assert (await people.rows("phone_challenges", phone_hash=user["phone_hash"]))[0]["new_user_id"].version == RANDOM


@pytest.mark.rule("XX-04", "PR-04")
async def test_neither_the_id_nor_the_link_of_a_photo_has_a_time(people: People) -> None:
    signed = await people.sign_in()
    photo = await people.add_photo(signed)
    (row,) = await people.rows("photos", id=UUID(photo.photo_id))
    for key in (row["object_key"], row["card_key"], row["thumbnail_key"]):
        _, user, shown, attempt, _ = key.split("/")
        assert [UUID(each).version for each in (user, shown, attempt)] == [RANDOM] * 3, key
        assert shown == photo.photo_id
