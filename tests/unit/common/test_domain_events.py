"""Domain events become messages of the contract by the names of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

import pytest
from unora.streak.v1 import events_pb2
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_HIGH, STREAK_STATE_AT_RISK, STREAK_STATE_UNSPECIFIED
from unora_common.domain_events import DomainEvent
from unora_common.messages import event_encoder

encode = event_encoder(events_pb2)


class Level(StrEnum):
    HIGH = "high"


class State(StrEnum):
    AT_RISK = "at_risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedIn(DomainEvent):
    streak_id: UUID
    version: int
    state: State
    previous_state: State | None
    occurred_at: datetime
    check_in_date: date
    effort_signal: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeSent(DomainEvent):
    streak: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(DomainEvent):
    streak_id: UUID


def test_each_field_takes_the_contracts_form_and_none_stays_absent() -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=UTC)
    event = CheckedIn(
        streak_id=uuid4(),
        version=7,
        state=State.AT_RISK,
        previous_state=None,
        occurred_at=moment,
        check_in_date=date(2026, 2, 28),
        effort_signal=Level.HIGH,
    )
    message = encode(event)
    assert isinstance(message, events_pb2.CheckedIn)
    assert (message.streak_id, message.version) == (str(event.streak_id), 7)
    assert (message.state, message.previous_state) == (STREAK_STATE_AT_RISK, STREAK_STATE_UNSPECIFIED)
    assert message.effort_signal == EFFORT_SIGNAL_HIGH
    assert message.occurred_at.ToDatetime(UTC) == moment
    assert (message.check_in_date.year, message.check_in_date.month, message.check_in_date.day) == (2026, 2, 28)
    assert not message.HasField("recorded_at")


@pytest.mark.parametrize("event", [NudgeSent(streak=uuid4()), Unknown(streak_id=uuid4())])
def test_an_event_or_a_field_that_the_contract_lacks_is_an_error(event: DomainEvent) -> None:
    with pytest.raises(KeyError):
        encode(event)
