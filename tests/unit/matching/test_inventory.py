"""Slots under tiers that rise and fall and connections that form and end, in any order (MA-04, MA-06, MA-07)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from unora_common.ids import uuid7
from unora_matching.domain import CapacityFull, Inventory, Slots, Tier, newcomer

SLOTS = Slots()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Slotted(RuleBasedStateMachine):
    """A member beside the plainest account of what they have: how many connections, which tier, how many versions."""

    def __init__(self) -> None:
        super().__init__()
        self.inventory = newcomer(uuid7(), SLOTS)
        self.held = 0
        self.tier = Tier.FREE
        self.tier_version = 0
        self.told = 0

    @rule()
    def form(self) -> None:
        if self.held >= SLOTS.of(self.tier):
            with pytest.raises(CapacityFull):
                self.inventory.demand_open_slot()
            with pytest.raises(ValueError, match="full"):
                self.inventory.take_slot()
            return
        self.inventory.demand_open_slot()
        self.inventory = self.inventory.take_slot()
        self.held += 1
        self.told += 1

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, self.held))
        before = self.inventory.connection_limit
        self.inventory = self.inventory.free_slots(count)
        self.held -= count
        self.told += 1
        assert self.inventory.connection_limit <= before

    @rule(more=st.integers(1, 3))
    def more_than_there_are_cannot_end(self, more: int) -> None:
        for count in (0, self.held + more):
            with pytest.raises(ValueError, match="slots to free"):
                self.inventory.free_slots(count)

    @rule(tier=st.sampled_from(Tier), version=st.integers(1, 40))
    def change_tier(self, tier: Tier, version: int) -> None:
        changed = self.inventory.change_tier(tier, SLOTS, version)
        assert (changed is None) is (version <= self.tier_version)
        if changed is None:
            return
        self.inventory, self.tier, self.tier_version = changed, tier, version
        self.told += 1

    @invariant()
    def the_account_agrees(self) -> None:
        now = self.inventory
        assert (now.active_connection_count, now.tier, now.version) == (self.held, self.tier, self.told)
        assert now.connection_limit == max(SLOTS.of(self.tier), self.held)
        assert now.is_full is (self.held >= SLOTS.of(self.tier))


TestSlotted = pytest.mark.rule("MA-04", "MA-06", "MA-07")(Slotted.TestCase)


@pytest.mark.rule("SA-06", "SA-08")
def test_only_a_newer_standing_counts_and_it_is_no_event() -> None:
    member = Inventory(uuid7(), Tier.PRO, 2, 4, 7)
    assert not member.silenced
    second = member.change_standing(restricted=True, suspended=False, version=2, at=NOW)
    assert second is not None
    assert (second.silenced, second.version, second.standing_at) == (True, 7, NOW)
    for version in (1, 2):
        assert second.change_standing(restricted=False, suspended=False, version=version, at=NOW) is None
    third = second.change_standing(restricted=False, suspended=True, version=3, at=NOW + timedelta(1))
    assert third is not None
    assert third.silenced
    fourth = third.change_standing(restricted=False, suspended=False, version=4, at=NOW + timedelta(2))
    assert fourth is not None
    assert not fourth.silenced
