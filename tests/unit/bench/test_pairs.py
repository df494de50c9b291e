"""Pairs of calls, and how it is judged whether one kind takes longer (XX-04)."""

from __future__ import annotations

import numpy as np
import pytest
from unora_bench.call_rows import holders_for
from unora_bench.pairs import HEAD, Comparison, longer_share, ranked, sign_test
from unora_bench.timing import STATES, WARM_UP, Act, Case, cards_by_state, cards_needed, in_turn

RANDOM = np.random.default_rng(3)
NOISE = RANDOM.exponential(5, 400) + 10
OTHER_NOISE = RANDOM.exponential(5, 400) + 10


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranked(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


@pytest.mark.parametrize(
    ("these", "those", "share"),
    [([2.0, 3.0], [1.0], 1.0), ([1.0], [2.0, 3.0], 0.0), ([2.0], [1.0, 2.0, 3.0], 0.5), ([1.0, 4.0], [2.0, 3.0], 0.5)],
)
def test_the_share_of_right_guesses_counts_all_pairs_and_half_of_each_tie(
    these: list[float], those: list[float], share: float
) -> None:
    assert longer_share(np.array(these), np.array(those)) == share


def test_two_kinds_that_differ_by_chance_are_not_told_apart() -> None:
    found = Comparison("SendInterest: there, there", NOISE, OTHER_NOISE)
    assert found.p_value > 0.05
    assert found.right_guesses == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("longer", [0.5, -0.5])
def test_half_a_millisecond_is_seen_beside_a_common_noise_ten_times_as_large(longer: float) -> None:
    found = Comparison("SendInterest: there, paused", NOISE, NOISE + RANDOM.normal(longer, 1, len(NOISE)))
    assert found.p_value < 0.001
    assert found.difference == pytest.approx(longer, abs=0.2)
    assert (found.right_guesses > 0.5) is (longer > 0)


def test_a_few_calls_that_take_very_long_do_not_decide() -> None:
    differences = OTHER_NOISE - NOISE
    differences[:3] = 10_000
    assert sign_test(differences) > 0.05


def test_a_row_has_as_many_columns_as_the_head() -> None:
    row = Comparison("SendInterest: there, paused", np.array([1.0, 2.0]), np.array([1.0, 3.0])).row()
    assert len({line.count("|") for line in (*HEAD, row)}) == 1
    assert row.startswith("| SendInterest: there, paused | 2 | 1.50 | 2.00 | +500 |")


async def test_pairs_are_made_in_turn_over_the_cases_and_each_begins_now_with_the_one_now_with_the_other() -> None:
    made: list[str] = []

    def act(name: str) -> Act:
        async def noted() -> None:
            made.append(name)

        return noted

    cases = [Case(name, [act(f"{name} usual")] * 41, [act(f"{name} hidden")] * 41) for name in "ab"]
    found = await in_turn(cases, 40, pause=0.0)
    assert [each.name for each in found] == ["a", "b"]
    assert made[:4] == ["a usual", "a hidden", "b usual", "b hidden"], "the warm-up"
    rounds = [made[at : at + 4] for at in range(4, len(made), 4)]
    assert len(rounds) == 40
    assert all({*each[:2]} == {"a usual", "a hidden"} and {*each[2:]} == {"b usual", "b hidden"} for each in rounds)
    assert {each[0] for each in rounds} == {"a usual", "a hidden"}
    assert all(len(each.usual) == 40 and each.usual.min() > 0 and each.hidden.min() > 0 for each in found)


def test_each_card_is_in_one_state_and_each_state_has_a_quarter_of_them() -> None:
    found = cards_by_state(1000)
    assert sorted(card for cards in found.values() for card in cards) == list(range(15_000))
    assert {state: len(cards) for state, cards in found.items()} == dict.fromkeys(STATES, 3750)


@pytest.mark.parametrize("pairs", [1, 1000, 5000])
def test_there_are_cards_enough_for_all_pairs(pairs: int) -> None:
    found = cards_by_state(holders_for(cards_needed(pairs)))
    assert len(found["there"]) >= (pairs + WARM_UP) * (len(STATES) + 1)
    assert min(map(len, found.values())) >= pairs + WARM_UP
