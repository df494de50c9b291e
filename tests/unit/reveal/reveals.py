"""Reveals as the store returns them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from unora_reveal.domain.reveals import Reveal, Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_reveal(
    number: int,
    status: Status = Status.LOCKED,
    *,
    completed_days: int = 0,
    ended: bool = False,
    for_sale: bool = False,
    version: int = 0,
) -> Reveal:
    """One reveal of a member whose ids are 1 to 5."""
    return Reveal(
        id=UUID(int=1),
        streak_id=UUID(int=2),
        connection_id=UUID(int=3),
        user_id=UUID(int=4),
        partner_id=UUID(int=5),
        number=number,
        status=status,
        unlocked_at=NOW if status is Status.UNLOCKED else None,
        version=version,
        completed_days=completed_days,
        ended=ended,
        for_sale=for_sale,
        framed=None,
        scores={},
        read_at=NOW,
    )
