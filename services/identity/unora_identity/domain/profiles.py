"""PR-01, ID-08: the one profile of a member. It fills up field by field; when it is complete, it is an adult's."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from unora_common.errors import DomainError, InvalidArgument

from unora_identity.domain import age
from unora_identity.domain.age import age_at, age_on
from unora_identity.domain.policy import Policy
from unora_identity.domain.text import tidy
from unora_identity.domain.time_zones import time_zones

LOCKED: Final = ("name", "date_of_birth", "gender")
"""What a verified Gov ID locks (ID-07); a trigger in the database holds it too."""


class UnderAge(DomainError):
    """ID-08: not yet 18 where the member lives."""

    reason = "UNDER_AGE"


class BirthDateImpossible(InvalidArgument):
    """In the future, or further back than anybody lives."""

    reason = "BIRTH_DATE_IMPOSSIBLE"

    def __init__(self) -> None:
        super().__init__({"profile.date_of_birth": "cannot be"})


class TimeZoneUnknown(InvalidArgument):
    """Not the name of an IANA time zone."""

    reason = "TIME_ZONE_UNKNOWN"

    def __init__(self) -> None:
        super().__init__({"profile.time_zone": "is not the name of an IANA time zone"})


class FieldLocked(DomainError):
    """ID-07: what a verified Gov ID says stays as it is; `fields` names what the change would touch."""

    reason = "FIELD_LOCKED"


class Gender(StrEnum):
    """As the member tells it."""

    WOMAN = "woman"
    MAN = "man"
    NON_BINARY = "non_binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Empty text and None mean: not told yet. `time_zone` is an IANA name, `date_of_birth` a calendar date.

    A complete profile has all but bio and occupation, which are the member's choice.
    """

    name: str = ""
    date_of_birth: date | None = None
    gender: Gender | None = None
    city: str = ""
    time_zone: str = ""
    bio: str = ""
    occupation: str = ""


def check(profile: Profile, now: datetime, policy: Policy) -> Profile:
    """The profile tidied, or the first reason why it can't be kept. A field not told yet is no reason.

    Age is judged as soon as both birth date and time zone are told: without a zone nobody can say what day it is, and
    without a zone the profile is not complete either (ID-08).
    """
    tidied = replace(
        profile,
        name=profile.name and tidy("profile.name", profile.name, policy.name),
        city=profile.city and tidy("profile.city", profile.city, policy.city),
        bio=profile.bio and tidy("profile.bio", profile.bio, policy.bio, lines=True),
        occupation=tidy("profile.occupation", profile.occupation, policy.occupation),
    )
    if profile.time_zone and profile.time_zone not in time_zones():
        raise TimeZoneUnknown
    if profile.date_of_birth is not None:
        _check_birth_date(profile.date_of_birth, profile.time_zone, now, policy)
    return tidied


def stay_locked(before: Profile, after: Profile) -> None:
    """ID-07: refuses a change of what a verified Gov ID has locked."""
    changed = [name for name in LOCKED if getattr(before, name) != getattr(after, name)]
    if changed:
        raise FieldLocked(fields=",".join(changed))


def is_complete(profile: Profile, now: datetime, policy: Policy) -> bool:
    """PR-06, ID-08: everything told that must be, by an adult."""
    told = profile.name and profile.gender and profile.city
    return bool(told) and is_adult(profile, now, policy)


def is_adult(profile: Profile, now: datetime, policy: Policy) -> bool:
    """ID-08: 18 is reached at the midnight in the member's time zone with which the birthday begins."""
    if profile.date_of_birth is None or not profile.time_zone:
        return False
    return age_at(profile.date_of_birth, profile.time_zone, now) >= policy.adult_age


def age_band_changes_at(profile: Profile, now: datetime) -> datetime | None:
    """DI-08: when others will be shown another age band (UTC); None if never, or if nobody can say yet."""
    if profile.date_of_birth is None or not profile.time_zone:
        return None
    return age.age_band_changes_at(profile.date_of_birth, profile.time_zone, now)


def _check_birth_date(born: date, time_zone: str, now: datetime, policy: Policy) -> None:
    # A day of grace, because tomorrow has begun already somewhere; real limits are judged in the member's zone.
    if born.toordinal() > now.date().toordinal() + 1 or age_on(born, now.date()) > policy.oldest_age:
        raise BirthDateImpossible
    if time_zone and age_at(born, time_zone, now) < policy.adult_age:
        raise UnderAge
