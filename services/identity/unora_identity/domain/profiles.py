"""PR-01, ID-08: the one profile of a member. It is filled field by field; a complete profile is an adult's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from unora_common.errors import DomainError, InvalidArgument
from unora_common.time_zones import time_zone_names

from unora_identity.domain import age
from unora_identity.domain.age import age_at, age_on
from unora_identity.domain.policy import Bounds, Policy
from unora_identity.domain.text import clean_text

LOCKED_FIELDS: Final = ("name", "date_of_birth", "gender")
"""What a verified Gov ID locks (ID-07); a trigger in the database enforces it too."""
EARLIEST_ZONE: Final = timedelta(hours=14)
"""How far ahead of UTC a day begins in the first zones of the world: UTC+14."""


class UnderAge(DomainError):
    """ID-08: the member is not yet 18 in their time zone, or, without one, anywhere on earth. It names the field of the
    date of birth, also if the call gave only the zone.
    """

    reason = "UNDER_AGE"
    sentence = "You must be 18 or older."
    violations = MappingProxyType({"profile.date_of_birth": "is of someone under age"})


class BirthDateImpossible(InvalidArgument):
    """The date of birth is in the future, or longer ago than people live."""

    reason = "BIRTH_DATE_IMPOSSIBLE"
    sentence = "This date of birth is not possible."

    def __init__(self) -> None:
        super().__init__({"profile.date_of_birth": "is in the future or too long ago"})


class TimeZoneUnknown(InvalidArgument):
    """The time zone is not the name of an IANA time zone."""

    reason = "TIME_ZONE_UNKNOWN"
    sentence = "This time zone does not exist."

    def __init__(self) -> None:
        super().__init__({"profile.time_zone": "is not the name of an IANA time zone"})


class FieldLocked(DomainError):
    """ID-07: fields that a verified Gov ID confirmed cannot change; `fields` names those that the call would change."""

    reason = "FIELD_LOCKED"
    sentence = "Your ID confirmed this, so it can no longer be changed."

    def __init__(self, fields: Sequence[str]) -> None:
        self.violations = {f"profile.{field}": "is confirmed by your ID" for field in fields}
        super().__init__(fields=",".join(fields))


class Gender(StrEnum):
    """The gender that the member states."""

    WOMAN = "woman"
    MAN = "man"
    NON_BINARY = "non_binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Empty text and None mean: not filled yet. `time_zone` is an IANA name, `date_of_birth` a calendar date.

    A complete profile has all fields but bio and occupation, which are optional.
    """

    name: str = ""
    date_of_birth: date | None = None
    gender: Gender | None = None
    city: str = ""
    """The name of the place; without `place_id`, what the member once wrote, which is shown to nobody (PR-11)."""
    place_id: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2, of the place."""
    time_zone: str = ""
    bio: str = ""
    occupation: str = ""

    @property
    def first_name(self) -> str:
        """RE-13: the first word of the name, which lists show of a partner after Day 15."""
        return next(iter(self.name.split()), "")

    @property
    def shown_city(self) -> str:
        """PR-11: the city that anybody may see, the member too: empty until it is a place."""
        return self.city if self.place_id else ""

    @property
    def city_to_choose(self) -> bool:
        """PR-11: whether the member once wrote a city, and has to choose a place."""
        return bool(self.city) and not self.place_id


EMPTY: Final = Profile()


def clean_profile(profile: Profile, now: datetime, policy: Policy, before: Profile = EMPTY) -> Profile:
    """The profile with cleaned texts, or the first refusal. An empty field is not refused.

    Texts that are as they were `before` are not judged again: a call that changes something else must not fail for
    them. The age is judged last, as far as it can be told: see `require_adult`.
    """

    def clean(name: str, bounds: Bounds, *, lines: bool = False) -> str:
        text: str = getattr(profile, name)
        if not text or text == getattr(before, name):
            return text
        return clean_text(f"profile.{name}", text, bounds, lines=lines)

    cleaned = replace(
        profile,
        name=clean("name", policy.name),
        bio=clean("bio", policy.bio, lines=True),
        occupation=clean("occupation", policy.occupation),
    )
    if profile.time_zone and profile.time_zone not in time_zone_names():
        raise TimeZoneUnknown
    if profile.date_of_birth is not None:
        _require_possible(profile.date_of_birth, now, policy)
    require_adult(profile, now, policy)
    return cleaned


def require_adult(profile: Profile, now: datetime, policy: Policy) -> None:
    """ID-08: refuses a date of birth of someone who is under age in the profile's time zone. Without a zone, it refuses
    one who is under age even where the day begins first; the profile is not complete then, and the rest is judged when
    the zone comes.
    """
    born = profile.date_of_birth
    if born is None:
        return
    age = age_at(born, profile.time_zone, now) if profile.time_zone else age_on(born, (now + EARLIEST_ZONE).date())
    if age < policy.adult_age:
        raise UnderAge


def without_refused_date(before: Profile, refused: Profile, now: datetime, policy: Policy) -> Profile | None:
    """ID-08: what stays of `before` when `refused`, which a call would have made of it, is under age. A date that was
    only waiting for its zone does not stay. None if no date was refused, but another zone of a member who is adult.
    """
    if before.date_of_birth != refused.date_of_birth:
        return before
    return None if is_adult(before, now, policy) else replace(before, date_of_birth=None)


def require_locked_unchanged(before: Profile, after: Profile) -> None:
    """ID-07: refuses a change of a field that a verified Gov ID has locked."""
    changed = [name for name in LOCKED_FIELDS if getattr(before, name) != getattr(after, name)]
    if changed:
        raise FieldLocked(changed)


def is_complete(profile: Profile, now: datetime, policy: Policy) -> bool:
    """PR-06, ID-08: whether all required fields are filled, by an adult."""
    return not missing_fields(profile, now, policy)


def missing_fields(profile: Profile, now: datetime, policy: Policy) -> list[str]:
    """PR-06, ID-08: the required fields that are not filled, by the name under which the member fills each. A date of
    birth that is not an adult's is as good as none.
    """
    given = {
        "name": profile.name,
        "date_of_birth": is_adult(profile, now, policy) or (profile.date_of_birth and not profile.time_zone),
        "gender": profile.gender,
        "place_id": profile.city,
        "time_zone": profile.time_zone,
    }
    return [name for name, is_given in given.items() if not is_given]


def is_adult(profile: Profile, now: datetime, policy: Policy) -> bool:
    """ID-08: a member is 18 from the midnight in their time zone at which the birthday begins."""
    if profile.date_of_birth is None or not profile.time_zone:
        return False
    return age_at(profile.date_of_birth, profile.time_zone, now) >= policy.adult_age


def age_band_changes_at(profile: Profile, now: datetime) -> datetime | None:
    """DI-08: when the member's age band changes next (UTC). None if never, or if the profile lacks the date of birth or
    the time zone.
    """
    if profile.date_of_birth is None or not profile.time_zone:
        return None
    return age.age_band_changes_at(profile.date_of_birth, profile.time_zone, now)


def _require_possible(born: date, now: datetime, policy: Policy) -> None:
    # One day more than UTC's date is accepted, because tomorrow has begun already in some zones.
    if born.toordinal() > now.date().toordinal() + 1 or age_on(born, now.date()) > policy.oldest_age:
        raise BirthDateImpossible
