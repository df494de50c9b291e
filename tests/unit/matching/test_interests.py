"""What happens with an interest, over every relation that two members can have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.ids import uuid7
from unora_matching.domain.errors import CapacityFull, InterestOver
from unora_matching.domain.events import InterestClosed, InterestClosure, InterestSent
from unora_matching.domain.interests import (
    Interest,
    InterestStatus,
    Outcome,
    PairRelation,
    ResolvedCard,
    decide,
    match,
    send,
    withdraw,
)
from unora_matching.domain.inventory import Inventory, new_inventory
from unora_matching.domain.policy import Slots, Tier

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(days=14)
STRANGERS = PairRelation(ever_connected=False, blocked=False, returned_interest_id=None)
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
relations = st.builds(PairRelation, st.booleans(), st.booleans(), st.one_of(st.none(), st.uuids()))


def inventory(taken: int = 0, limit: int = 1) -> Inventory:
    return Inventory(uuid7(), Tier.FREE, taken, limit, 0)


def interest(outcome: Outcome) -> Interest:
    sent, _ = send(uuid7(), uuid7(), ResolvedCard(uuid7(), uuid7(), "partner"), outcome, NOW, LIFETIME)
    return sent


@pytest.mark.rule("MA-01")
def test_an_interest_that_is_not_returned_waits() -> None:
    assert decide(inventory(), inventory(), STRANGERS) is Outcome.WAIT


@pytest.mark.rule("MA-01")
def test_an_interest_that_is_returned_matches() -> None:
    assert decide(inventory(), inventory(), replace(STRANGERS, returned_interest_id=uuid7())) is Outcome.MATCH


@pytest.mark.rule("MA-03", "MA-10")
@given(inventories, relations)
def test_a_full_receiver_is_like_one_who_sent_no_interest(receiver: Inventory, relation: PairRelation) -> None:
    full = replace(receiver, active_connection_count=receiver.tier_limit)
    assert decide(inventory(), full, relation) is decide(
        inventory(), full, replace(relation, returned_interest_id=None)
    )


@pytest.mark.rule("MA-13")
@given(inventories, relations)
def test_a_full_sender_is_refused_whatever_the_other_did(receiver: Inventory, relation: PairRelation) -> None:
    with pytest.raises(CapacityFull):
        decide(inventory(1, 1), receiver, relation)


@pytest.mark.rule("MA-03", "MA-08", "MA-12", "SA-08")
@given(inventories, inventories, relations)
def test_a_match_needs_both_interests_both_slots_and_neither_apart_nor_silenced(
    sender: Inventory, receiver: Inventory, relation: PairRelation
) -> None:
    kept_apart = relation.ever_connected or relation.blocked
    silenced = {member: member.restricted or member.suspended for member in (sender, receiver)}
    possible = (
        relation.returned_interest_id is not None
        and not kept_apart
        and not receiver.is_full
        and not any(silenced.values())
    )
    try:
        outcome = decide(sender, receiver, relation)
    except CapacityFull:
        assert sender.is_full
    else:
        assert not sender.is_full
        assert (outcome is Outcome.MATCH) is possible
        assert (outcome is Outcome.VOID) is (kept_apart or silenced[sender])


@pytest.mark.rule("MA-10", "MA-11", "XX-04")
def test_a_void_interest_looks_like_a_pending_one() -> None:
    waits, void = interest(Outcome.WAIT), interest(Outcome.VOID)
    assert (waits.interest_status, void.interest_status) == (InterestStatus.PENDING, InterestStatus.VOID)
    assert waits.shown_as is void.shown_as is InterestStatus.PENDING


@pytest.mark.rule("MA-10", "MA-11")
@pytest.mark.parametrize("outcome", Outcome)
def test_its_first_event_says_when_it_expires_and_only_a_void_one_is_closed_at_once(outcome: Outcome) -> None:
    card = ResolvedCard(uuid7(), uuid7(), "partner")
    sent, (first, *more) = send(uuid7(), uuid7(), card, outcome, NOW, LIFETIME)
    assert isinstance(first, InterestSent)
    assert (first.version, first.occurred_at, first.expires_at) == (1, NOW, NOW + LIFETIME)
    closures = [(event.closure, event.version) for event in more if isinstance(event, InterestClosed)]
    assert closures == ([(InterestClosure.VOID, 2)] if outcome is Outcome.VOID else [])
    assert sent.version == 1 + len(more)


@pytest.mark.rule("MA-01")
def test_only_a_pending_interest_matches() -> None:
    matched = match(interest(Outcome.MATCH))
    assert (matched.interest_status, matched.shown_as, matched.version) == (
        InterestStatus.MATCHED,
        InterestStatus.MATCHED,
        2,
    )
    for closed in (matched, interest(Outcome.VOID)):
        with pytest.raises(ValueError, match="cannot match"):
            match(closed)


@pytest.mark.rule("MA-11", "XX-04")
@pytest.mark.parametrize("outcome", [Outcome.WAIT, Outcome.VOID])
def test_an_interest_that_looks_pending_is_withdrawn_once(outcome: Outcome) -> None:
    sent = interest(outcome)
    withdrawn, event = withdraw(sent, NOW)
    assert (withdrawn.shown_as, withdrawn.version) == (InterestStatus.WITHDRAWN, sent.version + 1)
    assert withdrawn.interest_status is (InterestStatus.WITHDRAWN if outcome is Outcome.WAIT else InterestStatus.VOID)
    assert (event.closure, event.version) == (InterestClosure.WITHDRAWN, withdrawn.version)
    with pytest.raises(InterestOver):
        withdraw(withdrawn, NOW)


@pytest.mark.rule("MA-06")
@given(st.lists(st.booleans(), max_size=40), st.sampled_from(Tier))
def test_taken_slots_are_never_above_the_limit_or_below_zero(takes: list[bool], tier: Tier) -> None:
    limit = Slots().of(tier)
    now = Inventory(uuid7(), tier, 0, limit, 0)
    for take in takes:
        if now.is_full if take else now.active_connection_count == 0:
            with pytest.raises(ValueError, match="slot"):
                now.take_slot(NOW) if take else now.free_slots(1, NOW)
            continue
        after, _ = now.take_slot(NOW) if take else now.free_slots(1, NOW)
        assert after.version == now.version + 1
        now = after
        assert 0 <= now.active_connection_count <= limit


@pytest.mark.rule("MA-04")
def test_a_wipe_needs_the_last_slot_taken() -> None:
    wiped, event = inventory(1, 1).wipe(3, None, NOW)
    assert (wiped.version, event.version, event.wiped_count) == (1, 1, 3)
    with pytest.raises(ValueError, match="keeps their interests"):
        inventory(1, 2).wipe(3, None, NOW)


@pytest.mark.rule("MA-06")
def test_slots_by_tier() -> None:
    assert {tier.value: Slots().of(tier) for tier in Tier} == {"free": 1, "plus": 2, "pro": 4}
    member = UUID(int=7)
    assert new_inventory(member, Slots(free=3)) == Inventory(member, Tier.FREE, 0, 3, 0)
