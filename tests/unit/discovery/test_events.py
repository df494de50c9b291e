"""Domain events and their messages."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from unora.common.v1.types_pb2 import SERVER_TYPE_FRIEND
from unora.discovery.v1 import events_pb2
from unora_common.domain_events import DomainEvent
from unora_common.messages import to_timestamp
from unora_discovery.domain.events import BatchRefreshed, RefreshTimerChanged, ServerJoined, ServerLeft
from unora_discovery.domain.servers import ServerType
from unora_discovery.messages.events import to_message

MEMBER, BATCH = UUID(int=1), UUID(int=2)
SPENT, NOW = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_event_of_the_contract_has_a_domain_event() -> None:
    events = {event.__name__ for event in (BatchRefreshed, RefreshTimerChanged, ServerJoined, ServerLeft)}
    receipt = "MemberErasedFromDiscovery"  # common emits it, for every context
    assert events | {receipt} == set(events_pb2.DESCRIPTOR.message_types_by_name)


def test_an_event_of_a_server_becomes_its_message() -> None:
    for kind, message in ((ServerJoined, events_pb2.ServerJoined), (ServerLeft, events_pb2.ServerLeft)):
        event: DomainEvent = kind(user_id=MEMBER, version=3, server_type=ServerType.FRIEND, occurred_at=NOW)
        assert to_message(event) == message(
            user_id=str(MEMBER), version=3, server_type=SERVER_TYPE_FRIEND, occurred_at=to_timestamp(NOW)
        )


def test_times_of_a_timer_that_was_never_spent_are_absent() -> None:
    event = BatchRefreshed(
        user_id=MEMBER,
        version=1,
        server_type=ServerType.FRIEND,
        batch_id=BATCH,
        timer_spent=False,
        last_global_refresh_at=None,
        refresh_available_at=None,
        occurred_at=NOW,
    )
    assert to_message(event) == events_pb2.BatchRefreshed(
        user_id=str(MEMBER),
        version=1,
        server_type=SERVER_TYPE_FRIEND,
        batch_id=str(BATCH),
        occurred_at=to_timestamp(NOW),
    )


def test_a_changed_timer_becomes_its_message() -> None:
    event = RefreshTimerChanged(
        user_id=MEMBER, version=4, last_global_refresh_at=SPENT, refresh_available_at=NOW, occurred_at=NOW
    )
    assert to_message(event) == events_pb2.RefreshTimerChanged(
        user_id=str(MEMBER),
        version=4,
        last_global_refresh_at=to_timestamp(SPENT),
        refresh_available_at=to_timestamp(NOW),
        occurred_at=to_timestamp(NOW),
    )
