"""PR-11: the list of places: how names are folded, what a search finds, and what a written city can mean."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.time_zones import time_zone_names
from unora_identity.domain.place_names import fold, spellings
from unora_identity.domain.places import Place, PlaceUnknown, QueryEmpty, place_meant, settle_place
from unora_identity.domain.profiles import Profile
from unora_identity.providers.place_file import FILE, TOP, WIDE
from unora_identity.providers.places import Places
from unora_sdk.environment import ConfigError
from unora_testing.places import BERLIN, FRANKFURT_MAIN, FRANKFURT_ODER, LONDON, MUNICH, PARIS

ROOT = Path(__file__).parents[3]
PLACES = Places()

pytestmark = pytest.mark.rule("PR-11")


@cache
def everywhere() -> list[Place]:
    return [PLACES._place(rank) for rank in range(len(PLACES._numbers["ids"]))]


def found(query: str, country: str = "", limit: int = TOP) -> list[str]:
    return [f"{place.name}, {place.country}" for place in PLACES.search(query, country, limit)]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that makes the file."""
    spec = spec_from_file_location("make_places", ROOT / "services" / "identity" / "make_places.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules["make_places"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("München", "munchen"),
        ("Mu\u0308nchen", "munchen"),
        ("ＭＵＥＮＣＨＥＮ", "muenchen"),
        ("  Saint-Étienne ", "saint etienne"),
        ("St. Gallen", "st gallen"),
        ("L’Aquila", "laquila"),
        ("Łódź", "lodz"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("ΑΘΗΝΑΣ", "αθηνασ"),
        ("Йошкар-Ола", "иошкар ола"),
        ("Be\u200drlin\u2060", "berlin"),
        ("ガ", "カ\u3099"),
        ("-·!\u0308", ""),
    ],
)
def test_a_name_is_folded_to_what_all_its_spellings_share(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_umlauts_are_also_found_as_they_are_spelled_out() -> None:
    assert spellings("Düren") == {"duren", "dueren"}
    assert spellings("Århus") == {"arhus", "aarhus"}


@pytest.mark.parametrize("query", ["Muenchen", "München", "munchen", "MÜNCHEN", "Мюнхен", "ミュンヘン", "慕尼黑"])
def test_a_place_is_found_in_any_languages_letters(query: str) -> None:
    assert PLACES.search(query, "", 1)[0].id == MUNICH


@pytest.mark.parametrize(
    ("query", "country", "best"),
    [
        ("Berlin", "", "Berlin, DE"),
        ("Berl", "", "Berlin, DE"),
        ("London", "", "London, GB"),
        ("London", "CA", "London, CA"),
        ("Lond", "CA", "London, CA"),
        ("Lond", "", "London, GB"),
        ("Paris", "US", "Paris, US"),
        ("Paris", "", "Paris, FR"),
        ("서우", "", "Seoul, KR"),
        ("mos", "RU", "Moscow, RU"),
    ],
)
def test_the_best_comes_first(query: str, country: str, best: str) -> None:
    assert found(query, country)[0] == best


def test_an_exact_name_comes_before_the_country_and_the_country_before_people() -> None:
    several = PLACES.search("Victoria", "PH", TOP)
    exact = [fold(place.name) == "victoria" for place in several]
    assert exact == sorted(exact, reverse=True)
    assert any(exact)
    for part in (True, False):
        here = [place.country == "PH" for place, whole in zip(several, exact, strict=True) if whole is part]
        assert here == sorted(here, reverse=True)
        assert any(here)


def test_each_place_comes_once_and_no_more_than_asked() -> None:
    for query in ("s", "san", "springfield", "北", "é", "al", "م"):
        for limit in (1, 10, TOP, 99):
            places = PLACES.search(query, "US", limit)
            assert len({place.id for place in places}) == len(places) <= min(limit, TOP)


def test_a_short_beginning_finds_what_looking_at_all_names_finds() -> None:
    names = [PLACES._name(entry).decode() for entry in PLACES._names]
    ranks = PLACES._numbers["name_rank"]
    wide = sorted(PLACES._head.top, key=len)
    for beginning in (*wide[:5], *wide[-5:], "berl", "zz", "xy", "東"):
        right = sorted({ranks[entry] for entry, name in enumerate(names) if name.startswith(beginning)})
        assert PLACES._top(beginning) == right[:TOP]
        in_india = [rank for rank in right if PLACES._country(rank) == b"IN"]
        assert PLACES._top_in_country("IN", beginning) == in_india[:TOP]


def test_a_search_reads_few_names_whatever_is_asked() -> None:
    """So nobody can make us do much work with one letter."""
    some = [PLACES._name(entry).decode() for entry in range(0, len(PLACES._names), 7)]
    beginnings = {name[:size] for name in some for size in (1, 2, 3)}
    for beginning in beginnings - set(PLACES._head.top):
        assert len(list(PLACES._ranks(beginning.encode(), beginning.encode() + b"\xff"))) <= WIDE
    longest = max(Counter(PLACES._name(entry) for entry in PLACES._names).values())
    assert longest <= WIDE, "so many places have one name that an exact search reads too much"


@pytest.mark.parametrize("query", ["", " ", "-", "\u0301", "\u200b", "!?"])
def test_a_query_without_a_letter_or_digit_is_refused(query: str) -> None:
    with pytest.raises(QueryEmpty):
        PLACES.search(query, "", 10)


def test_a_place_is_found_by_its_id_alone() -> None:
    assert PLACES.find(BERLIN) == Place(BERLIN, "Berlin", "DE", "", "", "Europe/Berlin")
    assert all(PLACES.find(place.id) == place for place in everywhere())
    for wrong in ("", "0", "-1", "1e3", "9" * 40, "2950159 ", "02950159", "²", "٢٩٥٠١٥٩"):
        assert PLACES.find(wrong) is None


def test_no_two_places_look_the_same_to_who_chooses() -> None:
    looks = Counter((place.name, place.country, place.region, place.near) for place in everywhere())
    assert [look for look, count in looks.items() if count > 1] == []
    regions = [place.region for place in PLACES.search("Springfield", "US", 5)]
    assert len(set(regions)) == 5


def test_every_place_can_be_stored_and_its_zone_be_used() -> None:
    assert len(everywhere()) > 30_000
    for place in everywhere():
        assert 0 < len(place.name) <= 80
        assert len(place.country) == 2
        assert place.time_zone in time_zone_names()


def test_the_same_data_make_the_same_file(maker: ModuleType) -> None:
    cities = maker.read_cities()[:500]
    assert maker.make_file(cities) == maker.make_file(list(cities))
    assert maker.make_file(cities) != maker.make_file(cities[:499])


def test_a_file_that_is_missing_or_another_is_refused_at_the_start(tmp_path: Path) -> None:
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.touch()
    other.write_bytes(b"x" + FILE.read_bytes()[1:50])
    for file in (tmp_path / "missing", empty, other):
        with pytest.raises(ConfigError, match="make protos"):
            Places(file)


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("Berlin", "Europe/Berlin", BERLIN),
        (" bErLiN ", "Europe/Berlin", BERLIN),
        ("München", "Europe/Berlin", MUNICH),
        ("Мюнхен", "Europe/Berlin", MUNICH),
        ("London", "GB", LONDON),  # another name of Europe/London
        ("Paris", "Europe/Paris", PARIS),
        ("Paris", "America/Chicago", "4717560"),  # in Texas
        ("Leipzig", "UTC", "2879139"),  # a zone that says nothing, and one place of the name
        ("Leipzig", "", "2879139"),
        ("Leipzig", "CET", "2879139"),  # tzdata calls it a link to Europe/Brussels
        ("Frankfurt (Oder)", "Europe/Berlin", FRANKFURT_ODER),
    ],
)
def test_a_written_city_that_can_mean_one_place_is_that_place(written: str, zone: str, meant: str) -> None:
    place = place_meant(written, zone, PLACES.named(written))
    assert place
    assert place.id == meant


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Frankfurt", "Europe/Berlin"),  # two cities are called so
        ("Springfield", "America/Chicago"),
        ("London", "UTC"),
        ("London", ""),
        ("Leipzig", "America/New_York"),  # perhaps a village that the list does not have
        ("Halle", "Europe/Stockholm"),  # in Germany, whose clocks show the same
        ("Santiago", "EST"),  # tzdata calls it a link to America/Panama
        ("Berlin, call 0151 2345", "Europe/Berlin"),
        ("Berl", "Europe/Berlin"),
        ("insta @anna", "Europe/Berlin"),
        ("!", "Europe/Berlin"),
        ("Nowhere", "UTC"),
    ],
)
def test_a_written_city_that_is_not_certain_is_no_place(written: str, zone: str) -> None:
    assert place_meant(written, zone, PLACES.named(written)) is None


def test_two_places_of_one_name_and_zone_are_never_guessed() -> None:
    """Over the whole list: a name means a place only if no other of this name shares its zone."""
    namesakes = Counter((fold(place.name), place.time_zone) for place in everywhere())
    for place in everywhere()[::20]:
        meant = place_meant(place.name, place.time_zone, PLACES.named(place.name))
        alone = namesakes[fold(place.name), place.time_zone] == 1
        assert meant == (place if alone else None)


def test_a_place_gives_city_and_country_and_stays_as_it_was_stored() -> None:
    before = Profile(name="Ada", city="Frankfurt", country="DE", place_id=FRANKFURT_MAIN)
    chosen = settle_place(before, replace(before, place_id=PARIS), PLACES.find)
    assert (chosen.city, chosen.country, chosen.shown_city) == ("Paris", "FR", "Paris")
    # A later list may not have the place, or call it something else.
    assert settle_place(before, replace(before, name="Eva"), lambda _: None) == replace(before, name="Eva")
    emptied = settle_place(before, replace(before, place_id=""), PLACES.find)
    assert (emptied.city, emptied.country, emptied.place_id) == ("", "", "")
    with pytest.raises(PlaceUnknown):
        settle_place(before, replace(before, place_id="1"), PLACES.find)


def test_a_written_city_stays_unseen_until_a_place_is_chosen() -> None:
    written = Profile(city="Frankfurt")
    assert (written.shown_city, written.city_to_choose) == ("", True)
    assert settle_place(written, replace(written, bio="x"), PLACES.find) == replace(written, bio="x")
    assert not settle_place(written, replace(written, place_id=FRANKFURT_MAIN), PLACES.find).city_to_choose
