"""DI-08, RE-04, RE-06: what other members may be shown of a member, and when."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from unora_identity.domain.age import AgeBand
from unora_identity.domain.card import Card, CardContents, make_card
from unora_identity.domain.digests import name_digests
from unora_identity.domain.disclosures import Disclosure
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import Member
from unora_identity.domain.photos import Photo
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Gender, Profile

POLICY = Policy()
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
PHOTO = Photo(id=uuid4(), has_face=True, quality_passed=True, width=600, height=750, object_key="")
READY = Member(
    profile=Profile(
        name="Ada",
        date_of_birth=date(1996, 1, 11),
        gender=Gender.WOMAN,
        city="London",
        place_id="2643743",
        country="GB",
        time_zone="UTC",
    ),
    photos=(PHOTO, PHOTO, PHOTO),
    hobbies=(Hobby("chess", "the slow kind"), Hobby("hiking", "uphill")),
)


@pytest.mark.rule("DI-08")
def test_a_card_shows_neither_name_nor_photo_nor_age() -> None:
    contents = CardContents(
        gender=Gender.WOMAN, age_band=AgeBand.FROM_25, city="London", place_id="2643743", hobbies=READY.hobbies
    )
    assert make_card(READY, NOW, POLICY) == Card(trust_level=3, contents=contents)
    private = replace(READY.profile, name="Grace", bio="words", occupation="more words")
    assert make_card(replace(READY, profile=private), NOW, POLICY) == make_card(READY, NOW, POLICY)
    # Tomorrow is a birthday, and with it another band.
    birthday = make_card(READY, datetime(2026, 1, 11, tzinfo=UTC), POLICY).contents
    assert birthday is not None
    assert birthday.age_band is AgeBand.FROM_30


@pytest.mark.rule("PR-06", "ID-04")
def test_a_member_who_is_not_ready_has_an_empty_card() -> None:
    assert make_card(replace(READY, hobbies=()), NOW, POLICY) == Card(trust_level=3, contents=None)
    assert not make_card(replace(READY, hobbies=()), NOW, POLICY).ready
    assert make_card(replace(READY, streak_completed=True), NOW, POLICY).trust_level == 4


@pytest.mark.rule("DI-15")
def test_a_member_who_is_not_shown_any_more_has_the_card_that_partners_see() -> None:
    before, after = make_card(READY, NOW, POLICY), make_card(replace(READY, photos=()), NOW, POLICY)
    assert (after.ready, after.contents) == (False, before.contents)
    assert make_card(replace(READY, photos=(), hobbies=READY.hobbies[:1]), NOW, POLICY).contents is None


@pytest.mark.rule("RE-06")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Ada", {"ada"}),
        ("  Ada  LOVELACE ", {"ada", "lovelace"}),
        ("Anna-Lena O'Neill", {"anna-lena", "anna", "lena", "o'neill", "o", "neill"}),
        ("Zoe\u0308 Stra\u00dfe", {"zo\u00eb", "zoe", "strasse"}),
        ("Jos\u00e9-Mar\u00eda", {"jos\u00e9-mar\u00eda", "jos\u00e9", "mar\u00eda", "jose-maria", "jose", "maria"}),
        ("\uff21\uff44\uff41", {"\uff41\uff44\uff41", "ada"}),
        ("S\u00f8ren", {"s\u00f8ren"}),
        ("", set()),
    ],
)
def test_a_name_can_be_recognised_by_each_of_its_words(name: str, words: set[str]) -> None:
    expected = sorted(hashlib.sha256(b"salt" + word.encode()).digest() for word in words)
    assert name_digests(name, b"salt") == expected
    assert not words or name_digests(name, b"other") != expected


A, B, C = sorted(uuid4() for _ in range(3))
OPEN = Disclosure(connection_id=uuid4(), streak_id=uuid4(), user_a_id=A, user_b_id=B, completed_days=15)


@pytest.mark.rule("RE-04", "RE-10")
def test_a_disclosure_is_for_its_two_members_as_long_as_it_lasts() -> None:
    assert OPEN.allows(A, B)
    assert OPEN.allows(B, A)
    for viewer, subject in ((A, A), (A, C), (C, B), (B, B)):
        assert not OPEN.allows(viewer, subject)
    assert not replace(OPEN, ended_at=NOW).allows(A, B)
    assert not replace(OPEN, completed_days=14).allows(A, B)
