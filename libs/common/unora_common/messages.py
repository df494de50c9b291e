"""What every context needs to go between its domain and the contract: enums by name, moments and dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, Protocol, TypeVar, overload

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from unora.common.v1.types_pb2 import AgeBand, ServerType, Tier

V = TypeVar("V", bound=int)
M = TypeVar("M", bound=int, covariant=True)


class Enum(Protocol[M]):
    """A generated enum."""

    def items(self) -> Sequence[tuple[str, M]]:
        """Its values by their full names, in the order of the contract."""


def by_name(kind: Enum[V]) -> dict[str, V]:
    """The values of a contract's enum by their short names: `{"partner": SERVER_TYPE_PARTNER, …}`, without UNSPECIFIED.

    Domains use the same names as the values of their own StrEnums, which are keys here as they are.
    """
    prefix = kind.items()[0][0].removesuffix("UNSPECIFIED")
    return {name.removeprefix(prefix).lower(): value for name, value in kind.items() if value}


def by_number(kind: Enum[V]) -> dict[V, str]:
    """The other way round."""
    return {value: name for name, value in by_name(kind).items()}


SERVERS: Final = by_name(ServerType)
SERVER_NAMES: Final = by_number(ServerType)
TIERS: Final = by_name(Tier)
TIER_NAMES: Final = by_number(Tier)
AGE_BANDS: Final = by_name(AgeBand)
AGE_BAND_NAMES: Final = by_number(AgeBand)


@overload
def to_timestamp(moment: datetime) -> Timestamp: ...
@overload
def to_timestamp(moment: datetime | None) -> Timestamp | None: ...
def to_timestamp(moment: datetime | None) -> Timestamp | None:
    """A moment; None leaves the field absent."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def from_timestamp(stamp: Timestamp) -> datetime:
    """A moment (UTC)."""
    moment: datetime = stamp.ToDatetime(UTC)
    return moment


def to_date(day: date) -> Date:
    """A whole date."""
    return Date(year=day.year, month=day.month, day=day.day)
