"""Domain events become the messages of the contract."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message
from unora.reveal.v1 import events_pb2
from unora_common.domain_events import DomainEvent
from unora_common.messages import to_timestamp
from unora_reveal.domain.events import (
    PersonalityChanged,
    PurchaseRejected,
    RevealEarned,
    RevealPurchased,
    RevealUnlocked,
)
from unora_reveal.domain.reveals import event_header
from unora_reveal.messages import to_message

from tests.unit.reveal.reveals import NOW, make_reveal

HEADER = event_header(make_reveal(3, version=4), NOW)
FIELDS: dict[str, Any] = {
    "reveal_id": str(UUID(int=1)),
    "version": 4,
    "streak_id": str(UUID(int=2)),
    "user_id": str(UUID(int=4)),
    "reveal_number": 3,
    "occurred_at": to_timestamp(NOW),
}
PAYMENT = UUID(int=9)


@pytest.mark.rule("XX-01")
@pytest.mark.parametrize(
    ("event", "message"),
    [
        (RevealEarned(**HEADER), events_pb2.RevealEarned(**FIELDS)),
        (RevealUnlocked(**HEADER), events_pb2.RevealUnlocked(**FIELDS)),
        (RevealPurchased(**HEADER, payment_id=PAYMENT), events_pb2.RevealPurchased(**FIELDS, payment_id=str(PAYMENT))),
        (
            PurchaseRejected(**HEADER, payment_id=PAYMENT),
            events_pb2.PurchaseRejected(**FIELDS, payment_id=str(PAYMENT)),
        ),
        (
            PersonalityChanged(user_id=UUID(int=4), version=2, answered_count=0, occurred_at=NOW),
            events_pb2.PersonalityChanged(user_id=str(UUID(int=4)), version=2, occurred_at=to_timestamp(NOW)),
        ),
    ],
)
def test_an_event_has_the_bytes_of_its_message(event: DomainEvent, message: Message) -> None:
    assert to_message(event).SerializeToString() == message.SerializeToString()
