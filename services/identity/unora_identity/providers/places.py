"""PR-11: the list of places, read from a file that make_places.py made of GeoNames' data. Safe to use at any time: a
search reads a few pages of the file, whatever is asked, and nothing is kept in memory.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

import msgspec
from unora_sdk.environment import ConfigError

from unora_identity.domain.place_names import fold
from unora_identity.domain.places import Place, QueryEmpty
from unora_identity.providers.place_file import FILE, MAGIC, TEXTS, TOP

_ID: Final = re.compile("[1-9][0-9]{0,8}")
_AFTER: Final = b"\xff"  # sorts after every letter


class _Head(msgspec.Struct, frozen=True):
    version: str
    lengths: dict[str, int]
    top: dict[str, list[int]]
    top_in_country: dict[str, list[int]]


class Places:
    """Places by id, by name, and by the beginning of a name. A rank counts places by their people, from the largest."""

    def __init__(self, file: Path = FILE) -> None:
        """Maps the file, and reads its head. Raises ConfigError if it is missing or something else."""
        try:
            with file.open("rb") as opened:
                # Read, not mapped: the kernel maps 2 MB around what is touched, and an idle process needs no more.
                magic, length = opened.read(len(MAGIC)), int.from_bytes(opened.read(4), "little")
                if magic != MAGIC:
                    raise ConfigError(f"{file} is no list of places of this version, `make protos` makes it")
                self._head = msgspec.json.decode(opened.read(length), type=_Head)
                start = opened.tell()
                data = memoryview(mmap(opened.fileno(), 0, access=ACCESS_READ))
        except (OSError, ValueError) as error:
            raise ConfigError(f"the list of places is missing, `make protos` makes it: {error}") from None
        self._sections = dict(_sections(data, start, self._head.lengths))
        self._numbers = {name: part.cast("I") for name, part in self._sections.items() if name not in TEXTS}
        self._names = range(len(self._numbers["name_rank"]))

    @property
    def version(self) -> str:
        """Another one for other data."""
        return self._head.version

    def find(self, place_id: str) -> Place | None:
        """The place with this id. A place has one id: places are compared by it, so "0123" is not "123"."""
        if not _ID.fullmatch(place_id):
            return None
        ids, number = self._numbers["ids"], int(place_id)
        at = bisect_left(ids, number)
        return self._place(self._numbers["id_rank"][at]) if at < len(ids) and ids[at] == number else None

    def search(self, query: str, country: str, limit: int) -> list[Place]:
        """The best places of which a name begins with the query, at most TOP: first those whose own name it is,
        then those of the country, if it is not empty, then the larger ones. Raises QueryEmpty.
        """
        name = fold(query)
        if not name:
            raise QueryEmpty
        exact = [rank for rank in self._exact(name) if fold(self._place(rank).name) == name]
        exact.sort(key=lambda rank: self._country(rank) != country.encode())
        found = [*exact, *(self._top_in_country(country, name) if country else ()), *self._top(name)]
        return [self._place(rank) for rank in list(dict.fromkeys(found))[: min(limit, TOP)]]

    def named(self, name: str) -> list[Place]:
        """All places that have just this name, or are also called so, the largest first."""
        return [self._place(rank) for rank in self._exact(fold(name))]

    def _exact(self, name: str) -> list[int]:
        return sorted(set(self._ranks(name.encode(), name.encode() + b"\0"))) if name else []

    def _top(self, name: str) -> list[int]:
        known = self._head.top.get(name)
        return known if known is not None else _largest(self._ranks(name.encode(), name.encode() + _AFTER))

    def _top_in_country(self, country: str, name: str) -> list[int]:
        known = self._head.top_in_country.get(country + name)
        if known is not None:
            return known
        entries, beginning = self._numbers["by_country"], (country + name).encode()
        first = bisect_left(entries, beginning, key=self._name_in_country)
        last = bisect_left(entries, beginning + _AFTER, lo=first, key=self._name_in_country)
        return _largest(self._numbers["name_rank"][entry] for entry in entries[first:last])

    def _ranks(self, first: bytes, last: bytes) -> Iterable[int]:
        """The ranks of the names from `first` to before `last`."""
        start = bisect_left(self._names, first, key=self._name)
        end = bisect_left(self._names, last, lo=start, key=self._name)
        return self._numbers["name_rank"][start:end]

    def _name(self, entry: int) -> bytes:
        at = self._numbers["name_at"]
        return bytes(self._sections["names"][at[entry] : at[entry + 1]])

    def _name_in_country(self, entry: int) -> bytes:
        return self._country(self._numbers["name_rank"][entry]) + self._name(entry)

    def _country(self, rank: int) -> bytes:
        return bytes(self._sections["countries"][2 * rank : 2 * rank + 2])

    def _place(self, rank: int) -> Place:
        at = self._numbers["record_at"]
        id_, *rest = msgspec.json.decode(self._sections["records"][at[rank] : at[rank + 1]], type=list[str])
        return Place(id_, *rest)


def _sections(data: memoryview, start: int, lengths: dict[str, int]) -> Iterator[tuple[str, memoryview]]:
    for name, length in lengths.items():
        yield name, data[start : start + length]
        start += length + -length % 4


def _largest(ranks: Iterable[int]) -> list[int]:
    return sorted(set(ranks))[:TOP]
