"""Names and ids that other processes rely on."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from unora.identity.v1.events_pb2 import AccountCreated
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.streak.v1.events_pb2 import StreakAtRisk
from unora_common import trace
from unora_common.handler_marks import Consumes
from unora_common.ids import uuid7
from unora_sdk.names import aggregate_of, occurred_at, subject_of, type_of


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        (AccountCreated, "unora.identity.v1.account_created"),
        (ConnectionFormed, "unora.matching.v1.connection_formed"),
        (StreakAtRisk, "unora.streak.v1.streak_at_risk"),
    ],
)
def test_an_event_has_the_subject_of_its_name(event: type, subject: str) -> None:
    assert subject_of(event) == subject
    assert type_of(subject) == event.DESCRIPTOR.full_name  # type: ignore[attr-defined]


def test_an_events_first_field_is_its_aggregate() -> None:
    identifier = uuid7()
    event = ConnectionFormed(connection_id=str(identifier), version=7, user_a_id=str(uuid7()))
    event.occurred_at.FromDatetime(datetime(2026, 3, 1, tzinfo=UTC))
    assert aggregate_of(event) == (identifier, 7)
    assert occurred_at(event) == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_consumer_of_all_events_is_named_after_their_context() -> None:
    assert Consumes("streak", "unora.streak.v1.>", None, None).name == "all_streak"
    assert Consumes("streak", "unora.streak.v1.checked_in", None, None).name == "checked_in"


def test_ids_are_uuid7_of_the_machines_time() -> None:
    before = time.time_ns() // 1_000_000
    identifier = uuid7()
    assert before <= identifier.int >> 80 <= time.time_ns() // 1_000_000
    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")
    assert len({uuid7() for _ in range(1000)}) == 1000
    assert UUID(str(identifier)) == identifier


@pytest.mark.parametrize("parent", ["", "x", "00-" + "g" * 32 + "-" + "0" * 16 + "-01", "0" * 500])
def test_an_invalid_trace_is_replaced_by_a_new_one(parent: str) -> None:
    begun = trace.begin(parent)
    assert begun != parent
    assert trace.begin(begun) == begun == trace.current()
