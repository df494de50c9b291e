"""Between a domain and the contract: enums by name, times, dates, and domain events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any, Final, Protocol, TypeVar, overload

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from unora.common.v1.types_pb2 import AgeBand, ServerType, Tier

from unora_common.domain_events import DomainEvent

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_DAY: Final = 86_400

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
    """The short names of a contract's enum by their values, without UNSPECIFIED."""
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
    """A time; None leaves the field absent."""
    if moment is None:
        return None
    return Timestamp(**timestamp_fields(moment))


def timestamp_fields(moment: datetime) -> dict[str, int]:
    """A time for a field of a message's constructor, which would copy a Timestamp."""
    since = moment - _EPOCH  # FromDatetime makes a calendar tuple first, which takes four times as long
    return {"seconds": since.days * _DAY + since.seconds, "nanos": since.microseconds * 1000}


def from_timestamp(stamp: Timestamp) -> datetime:
    """A time (UTC)."""
    moment: datetime = stamp.ToDatetime(UTC)
    return moment


def to_date(day: date) -> Date:
    """A calendar date. Each call makes a message of its own, which the caller may change."""
    return Date(**date_fields(day))


def date_fields(day: date) -> dict[str, int]:
    """A calendar date for a field of a message's constructor, which would copy a Date."""
    return {"year": day.year, "month": day.month, "day": day.day}


def event_encoder(events: ModuleType) -> Callable[[DomainEvent], Message]:
    """Makes the function that turns a context's domain events into messages of its `events_pb2` module.

    Event and message have the same class name, and fields of the same names. A UUID becomes text, a StrEnum the value
    of the contract's enum, a datetime a Timestamp, a date a Date; None leaves the field absent. Raises KeyError for an
    event or a field that the contract does not have.
    """
    encoders: dict[type[DomainEvent], tuple[type[Message], list[tuple[str, _Converter]]]] = {}

    def encode(event: DomainEvent) -> Message:
        kind = type(event)
        if kind not in encoders:
            message_kind: type[Message] = vars(events)[kind.__name__]
            by_field = message_kind.DESCRIPTOR.fields_by_name
            encoders[kind] = (message_kind, [(each.name, _converter(by_field[each.name])) for each in fields(kind)])
        message_kind, converters = encoders[kind]
        return message_kind(
            **{name: convert(value) for name, convert in converters if (value := getattr(event, name)) is not None}
        )

    return encode


_Converter = Callable[[Any], Any]
_TO_MESSAGE: Final[dict[str, _Converter]] = {
    "google.protobuf.Timestamp": to_timestamp,
    "google.type.Date": to_date,
}


def _converter(field: Any) -> _Converter:
    if field.enum_type is not None:
        return _numbers(field.enum_type).__getitem__
    if field.message_type is not None:
        return _TO_MESSAGE[field.message_type.full_name]
    return str if field.type == FieldDescriptor.TYPE_STRING else _same


def _numbers(enum: Any) -> dict[str, int]:
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values if value.number}


def _same(value: Any) -> Any:
    return value
