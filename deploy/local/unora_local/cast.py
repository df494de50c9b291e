"""People, invented, with the little that their profiles say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from google.type.date_pb2 import Date
from unora.identity.v1.place_service_pb2 import Place
from unora.identity.v1.profile_service_pb2 import (
    GENDER_MAN,
    GENDER_NON_BINARY,
    GENDER_WOMAN,
    Gender,
    Profile,
)

ZONE: Final = "Europe/Berlin"


@dataclass(frozen=True)
class Person:
    """An invented person, as they describe themselves."""

    name: str
    gender: Gender.ValueType
    year: int
    city: str
    zone: str
    occupation: str

    @property
    def date_of_birth(self) -> Date:
        """All have their birthday on one day."""
        return Date(year=self.year, month=5, day=17)

    def profile(self, place: Place) -> Profile:
        """Their profile, with the place that their city is."""
        return Profile(
            name=self.name,
            date_of_birth=self.date_of_birth,
            gender=self.gender,
            place_id=place.place_id,
            bio=f"{self.occupation.capitalize()} in {self.city}. Long walks, short messages, no rush.",
            occupation=self.occupation,
            time_zone=self.zone,
        )


NAMED: Final = (
    Person("Mirabel", GENDER_WOMAN, 1994, "Berlin", ZONE, "bookbinder"),
    Person("Jonathan", GENDER_MAN, 1992, "Berlin", ZONE, "luthier"),
    Person("Theodora", GENDER_WOMAN, 1988, "Hamburg", ZONE, "tram driver"),
    Person("Leopold", GENDER_MAN, 1990, "Vienna", "Europe/Vienna", "gardener"),
)
# fmt: off
NAMES: Final = (
    "Ingrid", "Paulo", "Zelda", "Emilio", "Leocadia", "Omar", "Ruth", "Finnegan", "Beatrix", "Cosimo", "Delphine",
    "Ansgar", "Philippa", "Tobias", "Wilhelmina", "Rurik", "Odile", "Casimir", "Sidonie", "Lorenz", "Amaris",
    "Quentin", "Isolde", "Matteo", "Ottilie", "Jasper", "Verena", "Anselm", "Noor", "Benedikt", "Yuna", "Hektor",
    "Clementine", "Ivo", "Marguerite", "Sören", "Ludmila", "Arvid", "Henrike", "Rafael", "Edda", "Kolja", "Viola",
    "Gideon", "Rosalind", "Florian", "Tamsin", "Urs", "Xenia", "Balthasar", "Nerys", "Cyril", "Petra", "Alaric",
    "Morwenna", "Severin",
)
# fmt: on
OCCUPATIONS: Final = ("teacher", "baker", "illustrator", "nurse", "cartographer", "carpenter", "translator", "potter")
CITIES: Final = ("Berlin", "Hamburg", "Leipzig", "Bremen", "Freiburg")
GENDERS: Final = (GENDER_WOMAN, GENDER_MAN, GENDER_NON_BINARY)


def _others() -> Iterator[Person]:
    """All other people, in one time zone, so that all their days end at the same midnight."""
    facts = zip(NAMES, cycle(GENDERS), cycle(range(1980, 2001)), cycle(CITIES), cycle(OCCUPATIONS), strict=False)
    for name, gender, year, city, occupation in facts:
        yield Person(name, gender, year, city, ZONE, occupation)


PEOPLE: Final = (*NAMED, *_others())
"""Sixty."""
