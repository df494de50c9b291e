"""The search by planes finds the best, as the exact search does, and is as fair as chance (DI-07, DI-17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Final
from uuid import UUID, uuid4

import numpy as np
import pytest
from unora_discovery.domain import bits
from unora_discovery.domain.cards import deal
from unora_discovery.domain.policy import Odds
from unora_testing.testbed import Testbed

from tests.integration.discovery import exact_search
from tests.integration.discovery.own_pool import HERE, OwnPool, criteria, member, own_pool

MEMBERS: Final = 2_000
EQUALS: Final = 1_000
CARDS: Final = 20_000
LARGEST: Final = 1143.9
"""Of the chi-square distribution with 999 degrees of freedom, 0.001 is above it."""
VIEWERS: Final = {
    "no filter": "n % 2 = 1",
    "usual": "n % 2 = 0 AND cardinality(f.genders) = 1 AND cardinality(f.age_bands) > 0",
    "same place": "f.same_city_only",
    "rare gender": "c.gender = 'non_binary'",
    "rare hobbies": "cardinality(c.hobby_option_ids) <= 3",
}
OF_A_KIND: Final = """
    SELECT n FROM generate_series(1, $1) AS n JOIN discovery.candidates c ON c.user_id = md5('member ' || n)::uuid
    LEFT JOIN discovery.filters f USING (user_id) WHERE {} AND c.discovery_ready ORDER BY n LIMIT 15"""


@pytest.fixture(scope="module")
async def mixed(testbed: Testbed) -> AsyncIterator[OwnPool]:
    """Members of all kinds."""
    async with own_pool(testbed, "mixed", MEMBERS) as made:
        yield made


@pytest.fixture(scope="module")
async def alike(testbed: Testbed) -> AsyncIterator[OwnPool]:
    """Members who are all the same, and some who see them."""
    async with own_pool(testbed, "alike", EQUALS + 1) as made:
        await made.superuser.execute("DELETE FROM discovery.filters")
        await made.superuser.execute(
            """UPDATE discovery.candidates SET discovery_ready = true, gender = 'woman', hobby_option_ids = '{a,b}',
            hobbies = '[{"hobby_option_id": "a", "name": "a", "micro_description": ""},
                {"hobby_option_id": "b", "name": "b", "micro_description": ""}]'"""
        )
        yield made


@pytest.mark.rule("DI-07", "DI-12", "DI-17")
@pytest.mark.parametrize("kind", VIEWERS)
async def test_the_planes_find_the_same_best_as_the_exact_search(mixed: OwnPool, kind: str) -> None:
    """Members are compared by what they share: equals are drawn by chance."""
    numbers = [row["n"] for row in await mixed.superuser.fetch(OF_A_KIND.format(VIEWERS[kind]), MEMBERS)]
    assert len(numbers) >= 10
    right = total = 0
    for number in numbers:
        viewer, found = await mixed.search(number, Random(number))
        async with mixed.database.session() as session:
            exact = await exact_search.search(session, member(number), HERE, criteria(viewer, Random(number)))
            most = await exact_search.search(session, member(number), HERE, criteria(viewer, Random(1), MEMBERS))
        shares = Counter(each.shares(viewer.hobby_option_ids) for each in exact.ranked)
        mine = Counter(each.shares(viewer.hobby_option_ids) for each in found.ranked)
        right, total = right + (shares & mine).total(), total + shares.total()
        allowed = {each.user_id for each in most.ranked}
        assert {each.user_id for each in (*found.ranked, *found.anyone)} <= allowed
    assert total
    assert right / total >= 0.99, f"{right} of the {total} best were found"


@pytest.mark.rule("DI-07", "DI-13", "DI-17")
async def test_of_a_thousand_equals_each_is_on_a_card_as_often(alike: OwnPool) -> None:
    """End to end of a refresh without its rows: planes, finalists, ties and drawn places, with a fixed seed."""
    random, shown = Random(29), Counter[UUID]()
    viewer = member(EQUALS + 1)
    for _ in range(CARDS // 5):
        seen, found = await alike.search(EQUALS + 1, random)
        shown.update(each.shown_user_id for each in deal(found, seen.hobby_option_ids, Odds(0.7, 0.1), random, uuid4))
    assert viewer not in shown
    expected = CARDS / EQUALS
    chi2 = sum((shown[member(number)] - expected) ** 2 / expected for number in range(1, EQUALS + 1))
    assert chi2 < LARGEST, f"chi-square {chi2:.0f}: some members are shown more often than others"


@pytest.mark.rule("DI-10", "DI-17")
@pytest.mark.parametrize("seed", [0, 1, -1, 2**62 + 12345, -(2**63)])
async def test_the_planes_draw_reduced_visibility_as_postgres_does(alike: OwnPool, seed: int) -> None:
    slots = [0, 1, 2, 63, 64, 1_000_003, 2**31 - 1]
    theirs = [
        await alike.superuser.fetchval("SELECT hashint4extended($1::int, $2::bigint) & 4294967295", slot, seed)
        for slot in slots
    ]
    assert bits.hashed(np.array(slots, np.int64), seed).tolist() == theirs


@pytest.mark.rule("DI-13", "DI-17")
async def test_of_many_who_wait_each_is_as_likely(alike: OwnPool) -> None:
    """400 wait for one viewer, a tenth of them no longer; in 3,000 searches the first of the others is counted."""
    await alike.superuser.execute(
        """INSERT INTO discovery.waiting_interests (
            interest_id, version, sender_id, receiver_id, server_type, waits, waits_until)
        SELECT gen_random_uuid(), 1, md5('member ' || n)::uuid, $1, 'partner', true, '2026-06-01'
        FROM generate_series(1, 400) AS n""",
        member(EQUALS + 1),
    )
    await alike.superuser.execute("UPDATE discovery.waiting_interests SET waits = false WHERE position % 10 = 3")
    random, first = Random(3), Counter[UUID]()
    for _ in range(3_000):
        _, found = await alike.search(EQUALS + 1, random)
        first[found.waiting[0].user_id] += 1
    waiting = {member(number) for number in range(1, 401) if number % 10 != 3}
    assert set(first) <= waiting
    expected = 3_000 / 360
    chi2 = sum((first[each] - expected) ** 2 / expected for each in waiting)
    assert chi2 < 447.2, f"chi-square {chi2:.0f}: some are drawn more often than others"  # 359 degrees of freedom
    await alike.superuser.execute("DELETE FROM discovery.waiting_interests")
