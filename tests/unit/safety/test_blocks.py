"""The blocks of one direction, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_safety.domain.blocks import Block, Direction, Target, TargetKind, block, unblock
from unora_safety.domain.errors import BlockNotFound
from unora_safety.domain.events import MemberBlocked, MemberUnblocked

pytestmark = pytest.mark.rule("SA-02")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def unblocked_direction() -> Direction:
    return Direction(uuid4(), uuid4(), None, 0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_the_last_event_says_whether_any_block_is_in_force(steps: list[tuple[bool, int]]) -> None:
    targets = [Target(TargetKind.CARD, uuid4()) for _ in range(4)]
    direction, events, model = unblocked_direction(), list[MemberBlocked | MemberUnblocked](), dict[Target, Block]()
    for number, (adds, which) in enumerate(steps):
        now, target = NOW + timedelta(seconds=number), targets[which]
        if adds:
            direction, made, began = block(direction, target, uuid4(), now)
            assert made == model.setdefault(target, made)
            events += began
        elif target in model:
            direction, ended = unblock(direction, model.pop(target).id, now)
            events += ended
        else:
            with pytest.raises(BlockNotFound):
                unblock(direction, uuid4(), now)
        assert set(direction.blocks) == set(model.values())
        assert (bool(events) and isinstance(events[-1], MemberBlocked)) == bool(model)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    pairs, rest = divmod(len(events), 2)
    assert [type(event) for event in events] == [MemberBlocked, MemberUnblocked] * pairs + [MemberBlocked] * rest
    for first, last in zip(events[::2], events[1::2], strict=False):
        assert first.block_id == last.block_id
