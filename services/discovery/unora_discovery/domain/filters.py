"""DI-05, DI-12: which members a member wants to meet in one server."""

from dataclasses import dataclass, fields, replace
from typing import Final

from unora_common.errors import InvalidArgument

from unora_discovery.domain.pool import AgeBand, Gender

YOUNGEST: Final = 18
OLDEST: Final = 99
"""As the upper end of a range it includes all higher ages, too."""
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
    """A member's filters in one server. The defaults let everyone pass."""

    genders: tuple[Gender, ...] = ()
    """Empty means all genders."""
    min_age: int = YOUNGEST
    """Whole years."""
    max_age: int = OLDEST
    """Whole years, included."""
    same_city_only: bool = False

    @property
    def non_default_fields(self) -> tuple[str, ...]:
        """The names of the fields that differ from the default."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != field.default)

    @property
    def age_bands(self) -> tuple[AgeBand, ...]:
        """The bands that have at least one year of the range; empty if all have.

        The pool knows no ages (DI-08), so a band passes if it overlaps the range. To require the whole band within the
        range would match no member for a range of five years across two bands. To compare the age itself would let a
        member find it out by narrowing the range.
        """
        overlapping = tuple(
            band for band in AgeBand if self.min_age <= LAST_YEARS[band] and _first_year(band) <= self.max_age
        )
        return () if len(overlapping) == len(AgeBand) else overlapping


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChanges:
    """A change of filters. None leaves a field as it is."""

    genders: tuple[Gender, ...] | None = None
    min_age: int | None = None
    max_age: int | None = None
    same_city_only: bool | None = None


def change_filters(before: Filters, changes: FilterChanges) -> Filters:
    """DI-05: the filters after a change. Raises InvalidArgument."""
    named = {each.name: getattr(changes, each.name) for each in fields(changes)}
    after = replace(before, **{name: value for name, value in named.items() if value is not None})
    require_age_range(after)
    return after


def require_age_range(filters: Filters) -> None:
    """The youngest age is not above the oldest. Raises InvalidArgument."""
    if filters.min_age > filters.max_age:
        raise InvalidArgument({"filters.max_age": "must not be below filters.min_age"})


def _first_year(band: AgeBand) -> int:
    return int(band.value[:2])
