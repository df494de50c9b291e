"""Profiles, hobbies, photos and places, as their owner sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from unora.identity.v1 import (
    place_service_pb2,
    profile_service_pb2,
)
from unora_common.errors import InvalidArgument
from unora_common.messages import by_name, to_date

from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.photos import Photo, PhotoSize
from unora_identity.domain.places import CityNotChosen, Place
from unora_identity.domain.profiles import Gender, Profile

GENDERS: Final = by_name(profile_service_pb2.Gender)
GENDER_OF: Final = {number: Gender(name) for name, number in GENDERS.items()}
STEPS: Final = by_name(profile_service_pb2.OnboardingStep)
TEXT_FIELDS: Final = ("name", "place_id", "bio", "time_zone", "occupation")
PROFILE_FIELDS: Final = frozenset({*TEXT_FIELDS, "date_of_birth", "gender"})
PLACE_FIELDS: Final = ("city", "country")
"""Fields that follow from the place (PR-11)."""


def to_profile(profile: Profile) -> profile_service_pb2.Profile:
    """A profile as its owner sees it."""
    born = profile.date_of_birth
    return profile_service_pb2.Profile(
        name=profile.name,
        date_of_birth=to_date(born) if born else None,
        gender=GENDERS[profile.gender] if profile.gender else profile_service_pb2.GENDER_UNSPECIFIED,
        city=profile.shown_city,
        place_id=profile.place_id,
        country=profile.country,
        bio=profile.bio,
        time_zone=profile.time_zone,
        occupation=profile.occupation,
    )


def changed_profile(before: Profile, changes: profile_service_pb2.Profile, mask: FieldMask) -> Profile:
    """`before` with the fields that the mask names taken from `changes`. A field that is empty there is emptied.

    City and country are left to settle_place. Raises CityNotChosen if the mask names one of them (PR-11).
    """
    for field in PLACE_FIELDS:
        if field in mask.paths:
            raise CityNotChosen(field)
    fields = PROFILE_FIELDS if list(mask.paths) == ["*"] else frozenset(mask.paths)
    if not fields or not fields <= PROFILE_FIELDS:
        raise InvalidArgument({"update_mask": "names at least one field of a profile, or is *"})
    after = replace(before, **{name: getattr(changes, name) for name in fields.intersection(TEXT_FIELDS)})
    if "gender" in fields:
        after = replace(after, gender=GENDER_OF.get(changes.gender))
    if "date_of_birth" in fields:
        after = replace(after, date_of_birth=from_date("profile.date_of_birth", changes.date_of_birth))
    return after


def from_date(field: str, day: Date) -> date | None:
    """A calendar date in a field of a request; None if it is empty. Raises InvalidArgument."""
    if day == Date():
        return None
    try:
        return date(day.year, day.month, day.day)
    except ValueError:
        raise InvalidArgument({field: "is not a whole date of the calendar"}) from None


def to_place(place: Place) -> place_service_pb2.Place:
    """A place that a member can choose."""
    return place_service_pb2.Place(
        place_id=place.id,
        name=place.name,
        country=place.country,
        region=place.region,
        near=place.near,
        time_zone=place.time_zone,
    )


def to_photo(
    photo: Photo, position: int, links: Mapping[PhotoSize, str] = MappingProxyType({})
) -> profile_service_pb2.Photo:
    """A photo as its owner sees it, with or without its links."""
    return profile_service_pb2.Photo(
        photo_id=str(photo.id),
        position=position,
        has_face=photo.has_face,
        quality_passed=photo.quality_passed,
        width=photo.width,
        height=photo.height,
        url=links.get(PhotoSize.FULL, ""),
        card_url=links.get(PhotoSize.CARD, ""),
        thumbnail_url=links.get(PhotoSize.THUMBNAIL, ""),
    )


def to_hobby(hobby: Hobby) -> profile_service_pb2.Hobby:
    """A hobby as its owner sees it."""
    return profile_service_pb2.Hobby(
        hobby_option_id=hobby.option, micro_description=hobby.micro_description, hidden=hobby.hidden
    )


def to_hidden_options(hobbies: Iterable[Hobby]) -> list[str]:
    """PR-10: the options whose words are hidden."""
    return [hobby.option for hobby in hobbies if hobby.hidden]
