"""The people of the story as members, and whose hobbies are whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from unora.identity.v1.profile_service_pb2 import Hobby, HobbyOption
from unora_local import members
from unora_local.cast import Person
from unora_local.client import Gateway, Session

from unora_demo.cast import COUPLES, TRIO, groups

SHARED: Final = 7
"""Hobbies that members of a group who are to meet share: the most, so that they rank first for each other (DI-07)."""
SHARED_BY_OTHERS: Final = 4
"""Hobbies that any other pair shares."""


@dataclass
class Member:
    """A person with an account."""

    person: Person
    number: int
    session: Session
    hobbies: Sequence[Hobby]

    @property
    def gateway(self) -> Gateway:
        """Where their calls go."""
        return self.session.gateway

    @property
    def id(self) -> str:
        """Their user id."""
        return self.session.user_id


def choose_hobbies(options: Sequence[HobbyOption], size: int) -> list[list[Hobby]]:
    """The hobbies of the first `size` people: a group shares them, and groups that are to meet share the most."""
    meeting = {*COUPLES.values(), TRIO}
    chosen: dict[int, list[HobbyOption]] = {}
    for group in groups(size):
        hobbies = members.RANDOM.sample(options, SHARED if group in meeting else SHARED_BY_OTHERS)
        chosen |= dict.fromkeys(group, hobbies)
    return [members.hobbies(chosen[person], person) for person in range(size)]
