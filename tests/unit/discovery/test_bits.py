"""Planes of bits: counting, adding and drawing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_discovery.domain import bits

MEMBERS = 200
SETS = st.lists(st.sets(st.integers(0, MEMBERS - 1)), max_size=12)


def plane(slots: set[int]) -> bits.Plane:
    made = np.zeros(MEMBERS // bits.WORD + 1, np.uint64)
    bits.mark(made, np.array(sorted(slots), np.int64))
    return made


@given(st.sets(st.integers(0, MEMBERS - 1)), st.sets(st.integers(0, MEMBERS * 2)))
def test_a_plane_holds_the_slots_that_were_marked_and_not_cleared(marked: set[int], cleared: set[int]) -> None:
    made = plane(marked)
    bits.clear(made, np.array(sorted(cleared), np.int64))
    assert set(bits.slots_of(made)) == marked - cleared
    assert bits.count(made) == len(marked - cleared)
    asked = np.array(sorted(cleared | marked), np.int64)
    assert list(bits.contains(made, asked)) == [slot in marked - cleared for slot in asked]


@given(SETS, st.sets(st.integers(0, MEMBERS - 1)))
def test_adding_planes_says_in_how_many_of_them_each_slot_is(sets: list[set[int]], within: set[int]) -> None:
    counted = Counter(slot for each in sets for slot in each)
    digits = bits.add([plane(each) for each in sets])
    for number in range(14):
        assert set(bits.slots_of(bits.equal(digits, number, plane(within)))) == {
            slot for slot in within if counted[slot] == number
        }
    groups = [set(bits.slots_of(each)) for each in bits.by_number(digits, plane(within))]
    expected = [{slot for slot in within if counted[slot] == number} for number in range(12, -1, -1)]
    assert groups == [each for each in expected if each]


@given(st.sets(st.integers(0, MEMBERS - 1)), st.integers(0, MEMBERS), st.integers(0, 2**32))
def test_a_draw_gives_different_slots_of_the_plane_and_as_many_as_there_are(
    slots: set[int], wanted: int, seed: int
) -> None:
    drawn = list(bits.draw(plane(slots), wanted, np.random.default_rng(seed)))
    assert len(drawn) == len(set(drawn)) == min(wanted, len(slots))
    assert set(drawn) <= slots


@pytest.mark.rule("DI-07")
def test_each_slot_is_drawn_equally_often_and_at_each_place() -> None:
    """Of 6,000 draws of 12 among 60 each slot has 1,200; the statistic is that of 59 degrees of freedom."""
    random, slots = np.random.default_rng(5), set(range(7, 187, 3))
    made, first, drawn = plane(slots), Counter[int](), Counter[int]()
    for _ in range(6000):
        found = bits.draw(made, 12, random)
        first[int(found[0])] += 1
        drawn.update(map(int, found))
    assert sum((first[slot] - 100) ** 2 / 100 for slot in slots) < 98.3  # 0.001
    assert all(abs(drawn[slot] - 1200) < 160 for slot in slots)
