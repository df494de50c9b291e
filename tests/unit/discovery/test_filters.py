"""How a range of ages selects age bands, and how filters change."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from unora.discovery.v1.discovery_service_pb2 import Filters as Message
from unora.identity.v1.profile_service_pb2 import GENDER_MAN, GENDER_WOMAN
from unora_common.errors import InvalidArgument
from unora_discovery.domain.cards import require_five
from unora_discovery.domain.errors import PoolTooSmall
from unora_discovery.domain.filters import Filters, change_filters, require_age_range
from unora_discovery.domain.pool import AgeBand, Gender
from unora_discovery.domain.search import SearchResult
from unora_discovery.messages.filters import from_filter_changes, to_filters

BEFORE = Filters(genders=(Gender.WOMAN,), min_age=30, max_age=40, same_city_only=True)


def change(before: Filters, message: Message, mask: list[str]) -> Filters:
    return change_filters(before, from_filter_changes(message, FieldMask(paths=mask)))


@pytest.mark.rule("DI-05", "DI-12", "DI-08")
@pytest.mark.parametrize(
    ("ages", "bands"),
    [
        ((18, 99), ()),
        ((18, 60), ()),
        ((24, 60), ()),
        ((25, 99), ("25_29", "30_34", "35_39", "40_49", "50_59", "60_plus")),
        ((18, 24), ("18_24",)),
        ((18, 25), ("18_24", "25_29")),
        ((28, 33), ("25_29", "30_34")),
        ((32, 32), ("30_34",)),
        ((45, 46), ("40_49",)),
        ((59, 60), ("50_59", "60_plus")),
        ((99, 99), ("60_plus",)),
    ],
)
def test_a_band_fits_a_range_that_has_one_of_its_years(ages: tuple[int, int], bands: tuple[str, ...]) -> None:
    assert Filters(min_age=ages[0], max_age=ages[1]).age_bands == tuple(AgeBand(band) for band in bands)


@pytest.mark.rule("DI-12", "DI-08")
def test_narrowing_a_range_within_a_band_reveals_nothing() -> None:
    assert {Filters(min_age=age, max_age=age).age_bands for age in range(40, 50)} == {(AgeBand.FROM_40,)}


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize(
    ("mask", "changes"),
    [
        (["genders"], {"genders": (Gender.MAN,)}),
        (["min_age"], {"min_age": 20}),
        (["max_age"], {"max_age": 99}),
        (["same_city_only"], {"same_city_only": False}),
        (["*"], {"genders": (Gender.MAN,), "min_age": 20, "max_age": 99, "same_city_only": False}),
    ],
)
def test_fields_in_the_mask_change_and_empty_ones_let_everyone_pass(mask: list[str], changes: dict[str, Any]) -> None:
    message = Message(genders=[GENDER_MAN], min_age=20)
    fields = {"genders": BEFORE.genders, "min_age": 30, "max_age": 40, "same_city_only": True}
    assert change(BEFORE, message, mask) == Filters(**{**fields, **changes})


@pytest.mark.rule("DI-05")
@pytest.mark.parametrize("mask", [[], [""], ["age_bands"], ["genders", "user_id"], ["*", "genders"]])
def test_a_mask_with_another_field_is_refused(mask: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        change(BEFORE, Message(), mask)
    assert list(refused.value.violations) == ["update_mask"]


@pytest.mark.rule("DI-05")
def test_the_youngest_age_is_not_above_the_oldest_also_if_only_one_of_them_changes() -> None:
    with pytest.raises(InvalidArgument) as refused:
        change(BEFORE, Message(min_age=41), ["min_age"])
    assert list(refused.value.violations) == ["filters.max_age"]
    require_age_range(Filters(min_age=40, max_age=40))


@pytest.mark.rule("DI-05")
def test_filters_are_seen_as_they_were_set() -> None:
    seen = to_filters(BEFORE)
    assert seen == Message(genders=[GENDER_WOMAN], min_age=30, max_age=40, same_city_only=True)
    assert change(Filters(), seen, ["*"]) == BEFORE
    assert to_filters(Filters()) == Message(min_age=18, max_age=99)


@pytest.mark.rule("DI-02", "XX-04")
@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(), ()),
        (Filters(genders=(Gender.MAN,)), ("genders",)),
        (Filters(min_age=19, same_city_only=True), ("min_age", "same_city_only")),
        (BEFORE, ("genders", "min_age", "max_age", "same_city_only")),
    ],
)
def test_a_refusal_names_the_filters_that_are_set_and_nothing_else(filters: Filters, names: tuple[str, ...]) -> None:
    assert filters.non_default_fields == names
    assert PoolTooSmall(filters.non_default_fields).metadata == ({"filters": ",".join(names)} if names else {})
    with pytest.raises(PoolTooSmall) as refused:
        require_five(SearchResult(()), filters)
    assert refused.value.metadata == PoolTooSmall(names).metadata
