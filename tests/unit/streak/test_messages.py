"""Domain events and the contract: the same names, the same fields."""

from dataclasses import fields

import pytest
from unora.streak.v1 import events_pb2
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_HIGH,
    STREAK_STATE_ACTIVE,
    STREAK_STATE_AT_RISK,
    STREAK_STATE_UNSPECIFIED,
)
from unora_common.messages import from_timestamp
from unora_streak.domain.events import Event
from unora_streak.domain.state import Effort
from unora_streak.messages import to_message

from .story import CONNECTION, HOUR, STREAK, A, B, Story, utc

MORNING = utc("2026-11-22T09:00")


def test_every_event_of_the_contract_is_a_domain_event_with_the_same_fields() -> None:
    events = {kind.__name__: {field.name for field in fields(kind)} for kind in Event.__subclasses__()}
    contract = events_pb2.DESCRIPTOR.message_types_by_name
    own = {name: set(message.fields_by_name) for name, message in contract.items()}
    del own["MemberErasedFromStreak"]  # common emits it, for every context
    assert events == own


@pytest.mark.rule("XX-01")
def test_an_event_becomes_its_message() -> None:
    story = Story(MORNING).checks_in(A, MORNING + 10 * HOUR, Effort.HIGH)
    started, ends_soon, checked_in, at_risk = (to_message(event) for event in story.events)
    assert isinstance(started, events_pb2.StreakStarted)
    assert (started.streak_id, started.connection_id) == (str(STREAK), str(CONNECTION))
    assert (started.previous_state, started.state) == (STREAK_STATE_UNSPECIFIED, STREAK_STATE_ACTIVE)
    assert from_timestamp(started.day_ends_at) == utc("2026-11-23T00:00")
    assert isinstance(ends_soon, events_pb2.DayEndsSoon)
    assert (ends_soon.state, ends_soon.time_zone) == (STREAK_STATE_ACTIVE, "UTC")
    assert isinstance(checked_in, events_pb2.CheckedIn)
    assert (checked_in.version, checked_in.user_id, checked_in.effort_signal) == (3, str(A), EFFORT_SIGNAL_HIGH)
    date = checked_in.check_in_date
    assert (date.year, date.month, date.day) == (2026, 11, 22)
    assert isinstance(at_risk, events_pb2.StreakAtRisk)
    assert (at_risk.state, at_risk.missing_user_id) == (STREAK_STATE_AT_RISK, str(B))
    assert from_timestamp(at_risk.occurred_at) == MORNING + 10 * HOUR


def test_an_absent_value_leaves_its_field_absent() -> None:
    (started,) = Story(MORNING).events
    assert "previous_state" not in {field.name for field, _ in to_message(started).ListFields()}
