"""The planes of the pool: facts in, members out, as the rules say (DI-07, DI-09, DI-10, DI-12, PR-11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest
from unora_discovery.domain import bits, planes
from unora_discovery.domain.planes import Facts, Hunt, Planes, Seeker
from unora_discovery.domain.pool import AgeBand, Gender
from unora_discovery.domain.servers import ServerType

HERE = ServerType.FRIEND
HOBBIES = tuple(f"hobby {number}" for number in range(12))
PLACES = ("", "lisbon", "porto", "faro", "braga", "coimbra")


@dataclass(frozen=True)
class Member:
    """What the planes know of one member."""

    shown: bool
    joined: bool
    seeker: Seeker
    hobbies: frozenset[str]

    @property
    def facts(self) -> int:
        wants, first = self.seeker, planes.SERVER[HERE]
        assert wants.gender
        assert wants.age_band
        facts = self.shown << planes.SHOWN | 1 << planes.GENDER[wants.gender] | 1 << planes.AGE_BAND[wants.age_band]
        facts |= self.joined << first | wants.same_city_only << first + planes.SAME_CITY
        for gender in Gender if wants.genders else ():
            facts |= (gender not in wants.genders) << first + planes.REJECTS_GENDER[gender]
        for band in AgeBand if wants.age_bands else ():
            facts |= (band not in wants.age_bands) << first + planes.REJECTS_AGE_BAND[band]
        return facts


def member(random: Random, slot: int) -> Member:
    seeker = Seeker(
        slot=slot,
        gender=random.choice(list(Gender)),
        age_band=random.choice(list(AgeBand)),
        place_id=random.choice(PLACES),
        genders=tuple(random.sample(list(Gender), random.choice((0, 0, 1, 2)))),
        age_bands=tuple(random.sample(list(AgeBand), random.choice((0, 0, 3, 5)))),
        same_city_only=random.random() < 0.2,
    )
    hobbies = frozenset(random.sample(HOBBIES, random.randint(2, 10)))
    return Member(random.random() < 0.9, random.random() < 0.9, seeker, hobbies)


def facts(members: dict[int, Member]) -> Facts:
    def slots(has: str, field: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        found = [
            slot
            for slot, each in members.items()
            if (has in each.hobbies if field == "hobby" else has == each.seeker.place_id)
        ]
        return np.array(found, np.int64)

    return Facts(
        np.array(list(members), np.int64),
        np.array([each.facts for each in members.values()], np.uint64),
        {place: slots(place, "place") for place in PLACES[1:]},
        {hobby: slots(hobby, "hobby") for hobby in HOBBIES},
    )


def passes(one: Seeker, other: Seeker) -> bool:
    return (
        (not one.genders or other.gender in one.genders)
        and (not one.age_bands or other.age_band in one.age_bands)
        and (not one.same_city_only or (bool(one.place_id) and one.place_id == other.place_id))
    )


def expected(viewer: Member, members: dict[int, Member]) -> set[int]:
    return {
        slot
        for slot, each in members.items()
        if slot != viewer.seeker.slot
        and each.shown
        and each.joined
        and passes(viewer.seeker, each.seeker)
        and passes(each.seeker, viewer.seeker)
    }


@pytest.mark.rule("DI-07", "DI-09", "DI-12", "DI-17", "PR-11")
@pytest.mark.parametrize("seed", range(5))
def test_the_planes_find_whom_the_rules_let_pass_and_the_best_of_them_first(seed: int) -> None:
    """Also after members have changed, and after the planes have grown."""
    random, kept, members = Random(seed), Planes(), dict[int, Member]()
    for _ in range(6):
        changed = {slot: member(random, slot) for slot in random.sample(range(1, 900), 150)}
        members |= changed
        kept.apply(facts(changed))
    for slot in random.sample(list(members), 60):
        viewer = members[slot]
        found = kept.eligible(viewer.seeker, HERE)
        assert set(bits.slots_of(found)) == expected(viewer, members)
        assert not bits.count(kept.eligible(viewer.seeker, ServerType.GROWTH))
        hunt = Hunt(found, kept.shared(viewer.hobbies, found), np.random.default_rng(seed))
        shares = [len(viewer.hobbies & members[each].hobbies) for each in hunt.best(12)]
        every = sorted((len(viewer.hobbies & members[each].hobbies) for each in bits.slots_of(found)), reverse=True)
        assert shares == every[:12]
        assert hunt.is_over(len(every))
        assert not hunt.is_over(len(every) - 1)


@pytest.mark.rule("DI-09", "DI-17")
def test_who_is_left_out_is_found_no_more_and_a_draw_among_some_gives_only_who_is_left() -> None:
    random, kept = Random(1), Planes()
    members = {slot: replace(member(random, slot), shown=True, joined=True) for slot in range(1, 200)}
    kept.apply(facts(members))
    seeker = Seeker(slot=None, gender=None, age_band=None, place_id="", genders=(), age_bands=(), same_city_only=False)
    found = kept.eligible(seeker, HERE)
    hunt = Hunt(found, kept.shared(HOBBIES[:5], found), np.random.default_rng(1))
    best = hunt.best(12)
    hunt.leave_out(best)
    assert not set(best) & set(hunt.best(200))
    assert set(hunt.among(np.array([*best, 150, 151, 4000], np.int64), 50)) <= {150, 151}


@pytest.mark.rule("DI-10", "DI-17")
def test_a_member_of_reduced_visibility_is_left_out_by_a_draw_that_stays_for_a_seed() -> None:
    kept, slots = Planes(), np.arange(1, 2001, dtype=np.int64)
    here = 1 << planes.SHOWN | 1 << planes.REDUCED | 1 << planes.SERVER[HERE]
    kept.apply(Facts(slots, np.full(2000, here, np.uint64), {}, {}))
    seeker = Seeker(slot=None, gender=None, age_band=None, place_id="", genders=(), age_bands=(), same_city_only=False)
    counted = []
    for seed in (-5, -5, 0, 7):
        found = kept.eligible(seeker, HERE)
        kept.leave_out_reduced(found, seed, 429496730)
        counted.append(frozenset(bits.slots_of(found)))
    assert counted[0] == counted[1]
    assert len(set(counted)) == 3
    assert all(140 < len(each) < 260 for each in counted)
