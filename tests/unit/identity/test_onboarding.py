"""PR-02, PR-05, PR-06, ID-04: hobbies, photos, missing steps, and trust."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from unora_common.errors import DomainError
from unora_identity.domain.hobbies import Hobby, HobbyTwice, HobbyUnknown, TooManyHobbies, clean_hobbies
from unora_identity.domain.onboarding import Member, OnboardingStep, is_ready, missing_steps, require_still_ready
from unora_identity.domain.photos import Photo, TooManyPhotos, add_photo
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Gender, Profile
from unora_identity.domain.text import TextOutOfBounds
from unora_identity.domain.trust import trust_level

POLICY = Policy()
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
OPTIONS = [f"hobby_{number}" for number in range(12)]
HOBBIES = tuple(Hobby(option, "since I was small") for option in OPTIONS)


def photo(*, has_face: bool = True, quality_passed: bool = True) -> Photo:
    return Photo(id=uuid4(), has_face=has_face, quality_passed=quality_passed, width=600, height=750, object_key="")


def photos(count: int) -> tuple[Photo, ...]:
    return tuple(photo() for _ in range(count))


READY = Member(
    profile=Profile(name="Ada", date_of_birth=date(1990, 1, 1), gender=Gender.WOMAN, city="London", time_zone="UTC"),
    photos=photos(3),
    hobbies=HOBBIES[:2],
)


@pytest.mark.rule("PR-06")
def test_all_missing_steps_are_returned_at_once() -> None:
    no_face = tuple(photo(has_face=False) for _ in range(3))
    assert missing_steps(replace(READY, photos=READY.photos[:2]), NOW, POLICY) == [OnboardingStep.PHOTOS]
    assert missing_steps(replace(READY, photos=no_face), NOW, POLICY) == [OnboardingStep.FACE_PHOTO]
    assert missing_steps(Member(profile=Profile()), NOW, POLICY) == list(OnboardingStep)
    assert missing_steps(READY, NOW, POLICY) == []
    assert is_ready(READY, NOW, POLICY)


FALLS = [
    (replace(READY, profile=replace(READY.profile, city="")), OnboardingStep.PROFILE, "PROFILE_INCOMPLETE"),
    (replace(READY, hobbies=READY.hobbies[:1]), OnboardingStep.HOBBIES, "TOO_FEW_HOBBIES"),
]


@pytest.mark.rule("PR-02", "PR-05", "PR-06")
@pytest.mark.parametrize(("fallen", "lacks", "reason"), FALLS, ids=[reason for *_, reason in FALLS])
def test_a_ready_member_cannot_fall_below_a_minimum(fallen: Member, lacks: OnboardingStep, reason: str) -> None:
    assert missing_steps(fallen, NOW, POLICY) == [lacks]
    with pytest.raises(DomainError) as refused:
        require_still_ready(READY, fallen, NOW, POLICY)
    assert refused.value.reason == reason
    # A member who is not ready may change everything, also downwards.
    require_still_ready(fallen, fallen, NOW, POLICY)
    require_still_ready(fallen, Member(profile=Profile()), NOW, POLICY)
    require_still_ready(fallen, READY, NOW, POLICY)


@pytest.mark.rule("PR-02")
def test_a_seventh_photo_is_refused() -> None:
    six = add_photo(photos(5), photo(), POLICY)
    with pytest.raises(TooManyPhotos) as refused:
        add_photo(six, photo(), POLICY)
    assert refused.value.metadata == {"most": "6"}


@pytest.mark.rule("PR-05")
def test_hobbies_are_chosen_from_the_options_once_each() -> None:
    assert clean_hobbies([Hobby(OPTIONS[0], "  early birds  ")], OPTIONS, POLICY) == (Hobby(OPTIONS[0], "early birds"),)
    with pytest.raises(HobbyUnknown) as unknown:
        clean_hobbies([HOBBIES[0], Hobby("necromancy", "on weekends")], OPTIONS, POLICY)
    with pytest.raises(HobbyTwice) as twice:
        clean_hobbies([HOBBIES[0], replace(HOBBIES[0], micro_description="again")], OPTIONS, POLICY)
    assert [list(each.value.violations) for each in (unknown, twice)] == [["hobbies[1].hobby_option_id"]] * 2
    assert len(clean_hobbies(HOBBIES[:10], OPTIONS, POLICY)) == 10
    with pytest.raises(TooManyHobbies):
        clean_hobbies(HOBBIES[:11], OPTIONS, POLICY)


@pytest.mark.rule("PR-05")
@pytest.mark.parametrize("text", ["", "  a  ", "x" * 141])
def test_a_hobby_has_a_description_within_bounds(text: str) -> None:
    with pytest.raises(TextOutOfBounds):
        clean_hobbies([Hobby(OPTIONS[0], text)], OPTIONS, POLICY)


BLURRED, FACELESS = photo(quality_passed=False), photo(has_face=False, quality_passed=False)
GOOD = photos(3)


@pytest.mark.rule("ID-04")
@pytest.mark.parametrize(
    ("shown", "level"),
    [
        ((), 1),
        (GOOD[:2], 1),
        ((FACELESS, FACELESS, FACELESS), 1),
        ((BLURRED, FACELESS, FACELESS), 2),
        ((GOOD[0], GOOD[1], BLURRED), 2),
        (GOOD, 3),
        ((*GOOD, BLURRED), 3),
        ((BLURRED, *GOOD), 2),
    ],
)
def test_trust_grows_step_by_step(shown: tuple[Photo, ...], level: int) -> None:
    assert trust_level(shown, False, False, POLICY) == level
    # A completed streak counts only with all the levels below.
    assert trust_level(shown, True, False, POLICY) == (4 if level == 3 else level)
    for streak in (False, True):  # a Gov ID needs 1 to 3, and no streak
        assert trust_level(shown, streak, True, POLICY) == (5 if level == 3 else level)
