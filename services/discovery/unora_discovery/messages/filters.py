"""Filters."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from unora.discovery.v1 import discovery_service_pb2
from unora.identity.v1 import profile_service_pb2
from unora_common.errors import InvalidArgument
from unora_common.messages import (
    by_name,
)

from unora_discovery.domain.filters import OLDEST, YOUNGEST, FilterChanges, Filters
from unora_discovery.domain.pool import Gender
from unora_discovery.messages.members import GENDER_NAMES

GENDERS: Final = by_name(profile_service_pb2.Gender)


def to_filters(filters: Filters) -> discovery_service_pb2.Filters:
    """Filters as their owner sees them."""
    return discovery_service_pb2.Filters(
        genders=[GENDERS[gender] for gender in filters.genders],
        min_age=filters.min_age,
        max_age=filters.max_age,
        same_city_only=filters.same_city_only,
    )


def from_filter_changes(filters: discovery_service_pb2.Filters, mask: FieldMask) -> FilterChanges:
    """The fields that the mask names. A named field that is empty changes to the default, which lets everyone pass.

    Raises InvalidArgument.
    """
    values: dict[str, Any] = {
        "genders": tuple(Gender(GENDER_NAMES[number]) for number in filters.genders),
        "min_age": filters.min_age or YOUNGEST,
        "max_age": filters.max_age or OLDEST,
        "same_city_only": filters.same_city_only,
    }
    named = set(values) if list(mask.paths) == ["*"] else set(mask.paths)
    if not named or not named <= set(values):
        raise InvalidArgument({"update_mask": "must name at least one field of the filters, or be *"})
    return FilterChanges(**{name: values[name] for name in named})
