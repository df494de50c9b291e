"""What becomes of a wish, over every standing that two members can have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.ids import uuid7
from unora_matching.domain import (
    CapacityFull,
    Interest,
    InterestOver,
    InterestStatus,
    Inventory,
    Slots,
    Standing,
    Tier,
    Verdict,
    Wish,
    judge,
    match,
    newcomer,
    send,
    withdraw,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOBODY = Standing(met=False, blocked=False, answer=None)
inventories = st.builds(
    lambda limit, taken, tier, restricted, suspended: Inventory(
        uuid7(), tier, taken, limit, 3, restricted=restricted, suspended=suspended
    ),
    st.integers(1, 4),
    st.integers(0, 4),
    st.sampled_from(Tier),
    st.booleans(),
    st.booleans(),
)
standings = st.builds(Standing, st.booleans(), st.booleans(), st.one_of(st.none(), st.uuids()))


def inventory(taken: int = 0, limit: int = 1) -> Inventory:
    return Inventory(uuid7(), Tier.FREE, taken, limit, 0)


def wish() -> Wish:
    return Wish(uuid7(), uuid7(), "partner")


def interest(verdict: Verdict) -> Interest:
    return send(uuid7(), uuid7(), wish(), verdict, NOW)


@pytest.mark.rule("MA-01")
def test_a_wish_that_nobody_answers_waits() -> None:
    assert judge(inventory(), inventory(), NOBODY) is Verdict.WAIT


@pytest.mark.rule("MA-01")
def test_a_wish_that_is_answered_matches() -> None:
    assert judge(inventory(), inventory(), replace(NOBODY, answer=uuid7())) is Verdict.MATCH


@pytest.mark.rule("MA-03", "MA-10")
@given(inventories, standings)
def test_a_receiver_who_is_full_is_like_one_who_does_not_wish(receiver: Inventory, standing: Standing) -> None:
    full = replace(receiver, active_connection_count=receiver.tier_limit)
    assert judge(inventory(), full, standing) is judge(inventory(), full, replace(standing, answer=None))


@pytest.mark.rule("MA-13")
@given(inventories, standings)
def test_a_sender_who_is_full_is_refused_whatever_the_other_did(receiver: Inventory, standing: Standing) -> None:
    with pytest.raises(CapacityFull):
        judge(inventory(1, 1), receiver, standing)


@pytest.mark.rule("MA-03", "MA-08", "MA-12", "SA-08")
@given(inventories, inventories, standings)
def test_a_match_needs_both_wishes_both_slots_and_nobody_apart_or_silenced(
    sender: Inventory, receiver: Inventory, standing: Standing
) -> None:
    apart = standing.met or standing.blocked
    silenced = {who: who.restricted or who.suspended for who in (sender, receiver)}
    possible = standing.answer is not None and not apart and not receiver.is_full and not any(silenced.values())
    try:
        verdict = judge(sender, receiver, standing)
    except CapacityFull:
        assert sender.is_full
    else:
        assert not sender.is_full
        assert (verdict is Verdict.MATCH) is possible
        assert (verdict is Verdict.VOID) is (apart or silenced[sender])


@pytest.mark.rule("MA-10", "MA-11", "XX-04")
def test_a_void_interest_looks_like_one_that_waits() -> None:
    waits, void = interest(Verdict.WAIT), interest(Verdict.VOID)
    assert (waits.status, void.status) == (InterestStatus.PENDING, InterestStatus.VOID)
    assert waits.shown_as is void.shown_as is InterestStatus.PENDING


@pytest.mark.rule("MA-01")
def test_only_a_pending_interest_matches() -> None:
    matched = match(interest(Verdict.MATCH))
    assert (matched.status, matched.shown_as, matched.version) == (InterestStatus.MATCHED, InterestStatus.MATCHED, 2)
    for closed in (matched, interest(Verdict.VOID)):
        with pytest.raises(ValueError, match="cannot match"):
            match(closed)


@pytest.mark.rule("MA-11", "XX-04")
@pytest.mark.parametrize("verdict", [Verdict.WAIT, Verdict.VOID])
def test_what_looks_pending_is_withdrawn_once(verdict: Verdict) -> None:
    sent = interest(verdict)
    withdrawn = withdraw(sent)
    assert (withdrawn.shown_as, withdrawn.version) == (InterestStatus.WITHDRAWN, sent.version + 1)
    assert withdrawn.status is (InterestStatus.WITHDRAWN if verdict is Verdict.WAIT else InterestStatus.VOID)
    with pytest.raises(InterestOver):
        withdraw(withdrawn)


@pytest.mark.rule("MA-06")
@given(st.lists(st.booleans(), max_size=40), st.sampled_from(Tier))
def test_slots_are_never_over_the_limit_nor_below_none(takes: list[bool], tier: Tier) -> None:
    limit = Slots().of(tier)
    now = Inventory(uuid7(), tier, 0, limit, 0)
    for take in takes:
        if now.is_full if take else now.active_connection_count == 0:
            with pytest.raises(ValueError, match="slot"):
                now.take_slot() if take else now.free_slots()
            continue
        after = now.take_slot() if take else now.free_slots()
        assert after.version == now.version + 1
        now = after
        assert 0 <= now.active_connection_count <= limit


@pytest.mark.rule("MA-04")
def test_a_wipe_needs_the_last_slot_taken() -> None:
    assert inventory(1, 1).wipe().version == 1
    with pytest.raises(ValueError, match="keeps their interests"):
        inventory(1, 2).wipe()


@pytest.mark.rule("MA-06")
def test_slots_by_tier() -> None:
    assert {tier.value: Slots().of(tier) for tier in Tier} == {"free": 1, "plus": 2, "pro": 4}
    member = UUID(int=7)
    assert newcomer(member, Slots(free=3)) == Inventory(member, Tier.FREE, 0, 3, 0)
