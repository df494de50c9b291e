"""PR-11: a city is a place that a member chose from a list, and is never written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from unora_common.errors import InvalidArgument
from unora_common.time_zones import canonical_time_zone, country_time_zones

from unora_identity.domain.place_names import fold
from unora_identity.domain.profiles import Profile

T = TypeVar("T")
_ABBREVIATIONS: Final = frozenset({"CET", "EET", "EST", "HST", "MET", "MST", "WET"})
"""Names that tzdata links to one region each, though several use them."""


class CityNotChosen(InvalidArgument):
    """PR-11: city and country follow from the place: choose one by SearchPlaces and send its place_id."""

    reason = "CITY_NOT_CHOSEN"
    sentence = "Choose your city from the list."

    def __init__(self, field: str) -> None:
        why = f"cannot be written: choose a place by SearchPlaces, and name place_id instead of {field}"
        super().__init__({"update_mask": why})


class PlaceUnknown(InvalidArgument):
    """PR-11: no place of the list has this id."""

    reason = "PLACE_UNKNOWN"
    sentence = "This place is not in the list."

    def __init__(self) -> None:
        super().__init__({"profile.place_id": "is not the id of a place from SearchPlaces"})


class QueryEmpty(InvalidArgument):
    """The query has no letter and no digit."""

    reason = "QUERY_EMPTY"
    sentence = "Type at least one letter or digit."

    def __init__(self) -> None:
        super().__init__({"query": "has no letter and no digit to search for"})


@dataclass(frozen=True, slots=True)
class Place:
    """A city of the list. Its name is the same for all who see it."""

    id: str
    """GeoNames' id."""
    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    region: str
    """The state, for places of the United States; the data name no other regions."""
    near: str
    """A bigger place nearby; empty unless another place has the same name, country and region."""
    time_zone: str
    """IANA name."""


def settle_place(before: Profile, after: Profile, find: Callable[[str], Place | None]) -> Profile:
    """`after` with the city and country of its place; `find` knows the list. Raises PlaceUnknown.

    A place that stays is left as it was stored, whether or not the list still has it. Without a place before and after,
    a city that was once written stays too, which is shown to nobody: the member stays discovery-ready.
    """
    if after.place_id == before.place_id:
        return replace(after, city=before.city, country=before.country)
    if not after.place_id:
        return replace(after, city="", country="")
    place = find(after.place_id)
    if place is None:
        raise PlaceUnknown
    return replace(after, city=place.name, country=place.country)


def place_meant(written: str, time_zone: str, namesakes: Sequence[Place]) -> Place | None:
    """The one place that a written city can mean, of all those with this name, or None if it is not certain.

    Places of the member's time zone count. A zone that names no region, such as UTC, excludes none. A place whose name
    this is comes before places that are only also called so. A wrong city is worse than none: a place that is alone
    with its name, but in another zone, is not taken, since small places are not in the list.
    """
    zone = _zone_of_places(time_zone)
    if zone:
        namesakes = [place for place in namesakes if place.time_zone == zone]
    named = [place for place in namesakes if fold(place.name) == fold(written)]
    return _only(named or namesakes)


def _zone_of_places(time_zone: str) -> str | None:
    """The zone that places have where a member's zone is used; None if it does not say where somebody lives: UTC,
    offsets such as Etc/GMT+5, abbreviations.
    """
    if time_zone in country_time_zones():
        return time_zone
    canonical = canonical_time_zone(time_zone)
    names_a_region = "/" in canonical and not canonical.startswith("Etc/") and time_zone not in _ABBREVIATIONS
    return canonical if names_a_region else None


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None
