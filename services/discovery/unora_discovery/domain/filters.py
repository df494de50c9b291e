"""DI-05, DI-12: whom a member wants to meet in one server."""

from dataclasses import dataclass
from typing import Final

from unora_common.errors import InvalidArgument

from unora_discovery.domain.pool import AgeBand, Gender

YOUNGEST: Final = 18
OLDEST: Final = 99
"""As the oldest wanted it stands for any age above, too."""
LAST_YEARS: Final = {
    AgeBand.FROM_18: 24,
    AgeBand.FROM_25: 29,
    AgeBand.FROM_30: 34,
    AgeBand.FROM_35: 39,
    AgeBand.FROM_40: 49,
    AgeBand.FROM_50: 59,
    AgeBand.FROM_60: OLDEST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """A member's filters in one server; as they are by default they let everyone pass."""

    genders: tuple[Gender, ...] = ()
    """Empty is anyone."""
    min_age: int = YOUNGEST
    """Whole years."""
    max_age: int = OLDEST
    same_city_only: bool = False

    @property
    def age_bands(self) -> tuple[AgeBand, ...]:
        """The bands that hold at least one year of the range; empty if all do.

        The pool knows no ages (DI-08), so a range and a band can only touch or not. To ask that the band lie within
        the range would leave nobody for a range of five years across two bands; to ask for the age itself would let a
        member find it out by narrowing the range.
        """
        touched = tuple(band for band in AgeBand if self.min_age <= LAST_YEARS[band] and _first(band) <= self.max_age)
        return () if len(touched) == len(AgeBand) else touched


def check(filters: Filters) -> Filters:
    """The filters, if someone can pass them. Raises InvalidArgument."""
    if filters.min_age > filters.max_age:
        raise InvalidArgument({"filters.max_age": "is not below filters.min_age"})
    return filters


def _first(band: AgeBand) -> int:
    return int(band.value[:2])
