"""Blocks of one direction, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_safety.domain import (
    Block,
    BlockNotFound,
    Direction,
    MemberBlocked,
    MemberUnblocked,
    Target,
    TargetKind,
    block,
    unblock,
)

pytestmark = pytest.mark.rule("SA-02")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def nobody() -> Direction:
    return Direction(uuid4(), uuid4(), None, 0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_what_was_told_last_is_whether_any_block_is_in_force(steps: list[tuple[bool, int]]) -> None:
    targets = [Target(TargetKind.CARD, uuid4()) for _ in range(4)]
    direction, told, model = nobody(), list[MemberBlocked | MemberUnblocked](), dict[Target, Block]()
    for number, (adds, which) in enumerate(steps):
        now, target = NOW + timedelta(seconds=number), targets[which]
        if adds:
            direction, made, began = block(direction, target, uuid4(), now)
            assert made == model.setdefault(target, made)
            told += began
        elif target in model:
            direction, ended = unblock(direction, model.pop(target).id, now)
            told += ended
        else:
            with pytest.raises(BlockNotFound):
                unblock(direction, uuid4(), now)
        assert set(direction.blocks) == set(model.values())
        assert (bool(told) and isinstance(told[-1], MemberBlocked)) == bool(model)
    assert [event.version for event in told] == list(range(1, len(told) + 1))
    assert [type(event) for event in told] == [MemberBlocked, MemberUnblocked] * (len(told) // 2) + [MemberBlocked] * (
        len(told) % 2
    )
    for first, last in zip(told[::2], told[1::2], strict=False):
        assert first.block_id == last.block_id
