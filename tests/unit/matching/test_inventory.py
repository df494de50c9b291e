"""Slots under tiers that rise and fall and connections that form and end, in any order (MA-04, MA-06, MA-07)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from unora_common.ids import uuid7
from unora_matching.domain.errors import CapacityFull
from unora_matching.domain.events import InventoryChanged
from unora_matching.domain.inventory import Inventory, new_inventory
from unora_matching.domain.notices import Restriction
from unora_matching.domain.policy import Slots, Tier

SLOTS = Slots()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class InventoryMachine(RuleBasedStateMachine):
    """An inventory beside the plainest model of it: the number of connections, the tier, the number of events."""

    def __init__(self) -> None:
        super().__init__()
        self.inventory = new_inventory(uuid7(), SLOTS)
        self.held = 0
        self.tier = Tier.FREE
        self.tier_version = 0
        self.events = 0

    @rule()
    def form(self) -> None:
        if self.held >= SLOTS.of(self.tier):
            with pytest.raises(CapacityFull):
                self.inventory.require_open_slot()
            with pytest.raises(ValueError, match="full"):
                self.inventory.take_slot(NOW)
            return
        self.inventory.require_open_slot()
        self.apply(self.inventory.take_slot(NOW))
        self.held += 1

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, self.held))
        before = self.inventory.connection_limit
        self.apply(self.inventory.free_slots(count, NOW))
        self.held -= count
        assert self.inventory.connection_limit <= before

    @rule(more=st.integers(1, 3))
    def more_than_there_are_cannot_end(self, more: int) -> None:
        for count in (0, self.held + more):
            with pytest.raises(ValueError, match="slots to free"):
                self.inventory.free_slots(count, NOW)

    @rule(tier=st.sampled_from(Tier), version=st.integers(1, 40))
    def change_tier(self, tier: Tier, version: int) -> None:
        changed = self.inventory.change_tier(tier, SLOTS, version, NOW)
        assert (changed is None) is (version <= self.tier_version)
        if changed is None:
            return
        self.apply(changed)
        self.tier, self.tier_version = tier, version

    def apply(self, change: tuple[Inventory, InventoryChanged]) -> None:
        self.inventory, event = change
        self.events += 1
        assert (event.version, event.tier) == (self.inventory.version, self.inventory.tier)
        assert event.active_connection_count == self.inventory.active_connection_count
        assert event.connection_limit == self.inventory.connection_limit

    @invariant()
    def the_model_agrees(self) -> None:
        now = self.inventory
        assert (now.active_connection_count, now.tier, now.version) == (self.held, self.tier, self.events)
        assert now.connection_limit == max(SLOTS.of(self.tier), self.held)
        assert now.is_full is (self.held >= SLOTS.of(self.tier))


TestInventory = pytest.mark.rule("MA-04", "MA-06", "MA-07")(InventoryMachine.TestCase)


@pytest.mark.rule("SA-06", "SA-08")
def test_only_a_newer_restriction_counts_and_it_is_no_event() -> None:
    member = Inventory(uuid7(), Tier.PRO, 2, 4, 7)

    def restriction(version: int, *, restricted: bool = False, suspended: bool = False) -> Restriction:
        return Restriction(member.user_id, restricted, suspended, version, NOW + timedelta(version))

    assert not member.cannot_match
    second = member.change_restriction(restriction(2, restricted=True))
    assert second is not None
    assert (second.cannot_match, second.version, second.standing_at) == (True, 7, NOW + timedelta(2))
    for version in (1, 2):
        assert second.change_restriction(restriction(version)) is None
    third = second.change_restriction(restriction(3, suspended=True))
    assert third is not None
    assert third.cannot_match
    fourth = third.change_restriction(restriction(4))
    assert fourth is not None
    assert not fourth.cannot_match
