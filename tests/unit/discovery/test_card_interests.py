"""DI-16, MA-11: what an interest says on its card."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from unora_discovery.domain.pairs import Interest, InterestClosure, card_interest
from unora_discovery.domain.servers import ServerType

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INTEREST = Interest(
    interest_id=UUID(int=1),
    version=1,
    sender_id=UUID(int=2),
    receiver_id=UUID(int=3),
    server_type=ServerType.PARTNER,
    card_id=UUID(int=4),
)


@pytest.mark.rule("DI-16", "MA-11")
@pytest.mark.parametrize(
    ("closure", "sent"),
    [
        (None, True),
        (InterestClosure.VOID, True),
        (InterestClosure.MATCHED, True),
        (InterestClosure.WIPED, False),
        (InterestClosure.WITHDRAWN, False),
        (InterestClosure.EXPIRED, False),
    ],
)
def test_a_card_says_that_an_interest_was_sent_as_long_as_its_sender_sees_it(
    closure: InterestClosure | None, sent: bool
) -> None:
    said = card_interest(INTEREST, closure, NOW)
    assert said is not None
    assert (said.card_id, said.sent, said.over_at) == (INTEREST.card_id, sent, None if sent else NOW)


def test_an_interest_without_a_card_says_nothing() -> None:
    assert card_interest(replace(INTEREST, card_id=None), None, NOW) is None
