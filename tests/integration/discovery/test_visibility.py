"""DI-10: reduced visibility lowers how often a member is shown, and no answer reveals it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from unora_discovery.domain.randomness import visibility_below, visibility_seed
from unora_discovery.domain.search import SearchCriteria
from unora_discovery.domain.servers import ServerType
from unora_discovery.use_cases import batches
from unora_testing.world import Caller

from tests.integration.discovery.pool import PARTNER, Pool
from tests.integration.discovery.searching import search
from tests.support import refusal

SEARCHES: Final = 400
REDUCED: Final = 10


async def found(pool: Pool, viewer: Caller, seed: int, weight: float = 0.1) -> set[str]:
    """The ids of the members who take part in one search."""
    now = await pool.world.now()
    criteria = SearchCriteria(
        hobbies=["chess"],
        not_shown_since=now - timedelta(days=7),
        now=now,
        tie_seed=1,
        visibility_seed=seed,
        visibility_below=visibility_below(weight),
        ranked_limit=100,
    )
    result = await search(pool.world, viewer.user, ServerType.PARTNER, criteria)
    return {str(candidate.user_id) for candidate in result.ranked}


@pytest.mark.rule("DI-10")
async def test_a_member_of_reduced_visibility_takes_part_in_a_tenth_of_all_searches(pool: Pool) -> None:
    """Of 4,000 draws 400 are expected; 300 or 500 would be five standard deviations away."""
    viewer, *others = await pool.members(6)
    reduced = await pool.members(REDUCED)
    for member in reduced:
        await pool.restrict(member, 1, reduced_visibility=True)
    counted = dict.fromkeys((member.id for member in reduced), 0)
    now = await pool.world.now()
    for day in range(SEARCHES):
        seed = visibility_seed(viewer.user, ServerType.PARTNER, None, now + timedelta(days=day))
        seen = await found(pool, viewer, seed)
        assert {member.id for member in others} <= seen
        for user_id in counted:
            counted[user_id] += user_id in seen
    assert 300 < sum(counted.values()) < 500
    assert all(10 < count < 90 for count in counted.values())  # each member has a draw of their own


@pytest.mark.rule("DI-10", "XX-04")
async def test_a_repeat_of_a_search_finds_the_same(pool: Pool) -> None:
    viewer, *others = await pool.members(11)
    for member in others[:5]:
        await pool.restrict(member, 1, reduced_visibility=True)
    assert len({frozenset(await found(pool, viewer, 42, weight=0.5)) for _ in range(20)}) == 1


@pytest.mark.rule("DI-10", "XX-04")
@pytest.mark.parametrize("waits", [False, True])
async def test_a_pool_too_small_without_them_stays_so_all_day_and_the_refusal_says_no_more_than_usual(
    pool: Pool, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, reduced, *_ = await pool.members(6)
    await pool.restrict(reduced, 1, reduced_visibility=True)
    monkeypatch.setattr(batches, "visibility_below", lambda _: 2**32 if waits else 0)
    if waits:
        assert reduced.id in await pool.shown(viewer, (await pool.refresh(viewer)).batch)
        return
    before = await pool.stored_rows(viewer)
    refused = [await refusal(pool.refresh(viewer)) for _ in range(10)]
    assert {(each.code, each.reason, len(each.metadata)) for each in refused} == {
        ("FAILED_PRECONDITION", "POOL_TOO_SMALL", 0)
    }
    assert await pool.stored_rows(viewer) == before


@pytest.mark.rule("DI-10", "SA-03")
async def test_no_answer_reveals_reduced_visibility(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to the member nor to those who see the card, which is the same before and after."""
    monkeypatch.setattr(batches, "visibility_below", lambda _: 2**32)
    me = await pool.member("chess", "hiking")
    await pool.members(20, "poetry", "running")
    first, second = await pool.members(2, "chess", "hiking")
    mine = await pool.refresh(me)
    before = (await pool.refresh(first)).batch
    await pool.restrict(me, 1, reduced_visibility=True)
    after = (await pool.refresh(second)).batch
    cards = []
    for viewer, batch in ((first, before), (second, after)):
        shown = await pool.shown(viewer, batch)
        card = batch.cards[shown.index(me.id)]
        card.card_id, card.position = "", 0
        cards.append(card)
    assert cards[0] == cards[1]
    assert await pool.screen(me, PARTNER) == mine
    again = await pool.refresh(me)
    assert [field.name for field, _ in again.ListFields()] == ["server_type", "refresh_available_at", "batch"]


@pytest.mark.rule("DI-10")
async def test_after_it_is_lifted_they_always_take_part(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "visibility_below", lambda _: 0)
    viewer, reduced, *_ = await pool.members(6)
    await pool.restrict(reduced, 1, reduced_visibility=True)
    await pool.restrict(reduced, 2)
    assert reduced.id in await pool.shown(viewer, (await pool.refresh(viewer)).batch)
