"""DI-13: places for admirers, which look like the other places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from uuid import UUID, uuid4

import pytest
from unora_discovery.domain.cards import deal, draw, require_five
from unora_discovery.domain.errors import PoolTooSmall
from unora_discovery.domain.filters import Filters
from unora_discovery.domain.policy import Odds
from unora_discovery.domain.pool import AgeBand, Candidate, Hobby
from unora_discovery.domain.search import SearchResult

VIEWERS = ("chess", "hiking", "singing", "poetry")
TIMES = 4000


class Always(Random):
    """Every place that may be drawn is drawn."""

    def random(self) -> float:
        return 0.0


class Never(Random):
    """No place is drawn."""

    def random(self) -> float:
        return 0.999


def make_candidate(shares: int, number: int = 0) -> Candidate:
    """A candidate who shares so many hobbies with the viewer."""
    hobbies = [*VIEWERS[:shares], *(f"other {each}" for each in range(4 - shares))]
    return Candidate(
        user_id=UUID(int=shares * 1000 + number),
        profile_version=1,
        age_band=AgeBand.FROM_30,
        city="Lisbon",
        place_id="2267057",
        trust_level=2,
        hobbies=tuple(Hobby(hobby, hobby.title(), "mine") for hobby in hobbies),
    )


def ids(candidates: Sequence[Candidate]) -> list[UUID]:
    return [candidate.user_id for candidate in candidates]


CROWD = tuple(make_candidate(3, number) for number in range(30))
ODDS = Odds(admirer_probability=0.7, reduced_visibility=0.1)


@pytest.mark.rule("DI-13")
def test_up_to_two_admirers_are_among_the_five_and_the_best_three_stay() -> None:
    waiting = tuple(make_candidate(0, number) for number in range(4))
    found = draw(SearchResult(CROWD, CROWD, waiting), ODDS, Always(1))
    assert ids(found) == ids([*CROWD[:3], *waiting[:2]])
    assert ids(draw(SearchResult(CROWD, CROWD, waiting), ODDS, Never(1))) == ids(CROWD[:5])


@pytest.mark.rule("DI-13")
def test_each_place_is_drawn_with_the_policys_probability() -> None:
    waiting = tuple(make_candidate(0, number) for number in range(4))
    source = Random(7)
    drawn = Counter(
        sum(each in waiting for each in draw(SearchResult(CROWD, CROWD, waiting), ODDS, source)) for _ in range(TIMES)
    )
    for count, expected in ((0, 0.3 * 0.3), (1, 2 * 0.7 * 0.3), (2, 0.7 * 0.7)):
        assert abs(drawn[count] / TIMES - expected) < 0.03
    assert set(drawn) == {0, 1, 2}


@pytest.mark.rule("DI-13", "MA-10")
def test_the_same_number_of_places_is_drawn_with_and_without_admirers() -> None:
    """A card from further down the ranking does not reveal that an interest waits."""
    seen = {}
    for waiting in ((), (make_candidate(0, 1), make_candidate(0, 2))):
        source = Random(7)
        seen[bool(waiting)] = Counter(
            len(set(ids(draw(SearchResult(CROWD, CROWD, waiting), ODDS, source))) - set(ids(CROWD[:5])))
            for _ in range(TIMES)
        )
    # A member drawn when no interest waits may be one of the next two in the ranking; then nothing differs.
    assert abs(seen[True][0] / TIMES - 0.09) < 0.03
    assert abs(seen[False][0] / TIMES - 0.09) < 0.08
    assert seen[False][2] / TIMES > 0.35


@pytest.mark.rule("DI-13", "MA-10", "XX-04")
def test_a_member_who_shares_nothing_is_drawn_as_often_without_admirers() -> None:
    """However many candidates share more. Otherwise such a card could only be an admirer's."""
    strangers = tuple(make_candidate(0, number) for number in range(7))
    seen = {}
    for waiting in ((), (make_candidate(0, 901), make_candidate(0, 902))):
        source = Random(11)
        seen[bool(waiting)] = Counter(
            sum(not each.shares(VIEWERS) for each in draw(SearchResult(CROWD, strangers, waiting), ODDS, source))
            for _ in range(TIMES)
        )
    for count in (0, 1, 2):
        assert abs(seen[True][count] - seen[False][count]) / TIMES < 0.03


@pytest.mark.rule("DI-07", "DI-13")
def test_cards_are_ordered_by_shared_hobbies_and_an_admirer_is_at_random_among_equals() -> None:
    admirer = make_candidate(3, 900)
    places: Counter[int] = Counter()
    source = Random(3)
    for _ in range(TIMES):
        dealt = deal(SearchResult(CROWD, CROWD, (admirer,)), VIEWERS, Odds(1, 0.1), source, uuid4)
        (place,) = [each.card.position for each in dealt if each.shown_user_id == admirer.user_id]
        places[place] += 1
    assert sorted(places) == [1, 2, 3, 4, 5]
    assert all(abs(count / TIMES - 0.2) < 0.03 for count in places.values())


@pytest.mark.rule("DI-07", "DI-13")
@pytest.mark.parametrize("shares", range(5))
def test_no_card_breaks_the_order_of_shared_hobbies(shares: int) -> None:
    ranked = tuple(make_candidate(4 - number // 8, number) for number in range(30))
    source = Random(shares)
    for _ in range(200):
        cards = [
            each.card
            for each in deal(SearchResult(ranked, ranked, (make_candidate(shares, 900),)), VIEWERS, ODDS, source, uuid4)
        ]
        shared = [sum(hobby.shared for hobby in card.hobbies) for card in cards]
        assert shared == sorted(shared, reverse=True)
        assert [card.position for card in cards] == [1, 2, 3, 4, 5]


@pytest.mark.rule("DI-02", "DI-13")
@pytest.mark.parametrize("size", [5, 6, 7])
def test_in_a_small_pool_no_member_is_on_two_cards(size: int) -> None:
    ranked = CROWD[:size]
    for seed in range(300):
        found = ids(draw(SearchResult(ranked, ranked, ranked[-3:]), ODDS, Random(seed)))
        assert len(set(found)) == 5
        assert set(found) <= set(ids(ranked))


@pytest.mark.rule("DI-13")
def test_an_admirer_who_is_ranked_anyway_takes_no_other_place() -> None:
    waiting = (CROWD[0], CROWD[20])
    assert ids(draw(SearchResult(CROWD, CROWD, waiting), ODDS, Always(1)))[:4] == ids([*CROWD[:3], CROWD[20]])


@pytest.mark.rule("DI-02", "DI-13")
def test_an_admirer_does_not_make_a_pool_of_four_large_enough() -> None:
    """Admirers are members of the pool, so the ranking contains them already."""
    with pytest.raises(PoolTooSmall):
        require_five(SearchResult(CROWD[:4], CROWD[:4], CROWD[:2]), Filters())
