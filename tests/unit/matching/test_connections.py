"""A connection's life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from unora_common.ids import uuid7
from unora_matching.domain.connections import Connection, ConnectionStatus, EndReason, end, form, unlock_chat
from unora_matching.domain.errors import ConnectionOver
from unora_matching.domain.events import ConnectionEnded, EndCause

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=15)
LOW, HIGH = UUID(int=1), UUID(int=2)


def connection() -> Connection:
    formed, _ = form(uuid7(), HIGH, LOW, "friend", NOW)
    return formed


def ended_by(member: UUID, acted_at: datetime = LATER) -> tuple[Connection, ConnectionEnded]:
    return end(connection(), member, EndCause.MEMBER, acted_at, LATER)


@pytest.mark.rule("MA-08")
def test_the_pair_is_ordered_and_bound_to_the_server() -> None:
    formed = connection()
    assert (formed.pair, formed.server_type, formed.formed_at) == ((LOW, HIGH), "friend", NOW)
    assert (formed.partner_of(LOW), formed.partner_of(HIGH)) == (HIGH, LOW)
    with pytest.raises(ValueError, match="themselves"):
        form(uuid7(), LOW, LOW, "friend", NOW)


@pytest.mark.rule("MA-09")
def test_it_ends_once() -> None:
    ended, event = ended_by(LOW)
    assert (ended.connection_status, ended.ended_at, ended.version) == (ConnectionStatus.ENDED, LATER, 2)
    assert (event.version, event.ended_by_id, event.occurred_at) == (2, LOW, LATER)
    with pytest.raises(ConnectionOver):
        end(ended, LOW, EndCause.MEMBER, LATER, LATER)


@pytest.mark.rule("MA-09", "BI-05")
def test_its_event_says_when_the_member_acted_but_never_a_time_in_the_future() -> None:
    for acted_at, published in ((NOW, NOW), (LATER + timedelta(seconds=1), LATER)):
        assert ended_by(HIGH, acted_at)[1].acted_at == published


@pytest.mark.rule("ST-11")
def test_chat_is_unlocked_once_and_only_while_the_connection_is_active() -> None:
    change = unlock_chat(connection(), LATER, LATER + timedelta(hours=1))
    assert change is not None
    unlocked, event = change
    assert (unlocked.chat_unlocked_at, unlocked.connection_status, unlocked.version) == (
        LATER,
        ConnectionStatus.ACTIVE,
        2,
    )
    assert (event.version, event.occurred_at) == (2, LATER)
    assert unlock_chat(unlocked, LATER, LATER) is None
    ended, _ = ended_by(LOW)
    assert unlock_chat(ended, LATER, LATER) is None


@pytest.mark.rule("ST-11")
def test_chat_is_never_unlocked_in_the_future() -> None:
    change = unlock_chat(connection(), LATER, NOW)
    assert change is not None
    unlocked, _ = change
    assert unlocked.chat_unlocked_at == NOW


@pytest.mark.rule("MA-09", "MA-12", "SA-06")
def test_the_cause_follows_from_the_reason() -> None:
    by_cause = {cause: {reason.value for reason in EndReason if reason.cause is cause} for cause in EndCause}
    members_own = {"not_a_fit", "no_time", "unresponsive", "uncomfortable", "other"}
    assert by_cause == {
        EndCause.MEMBER: members_own,
        EndCause.BLOCK: {"block"},
        EndCause.SUSPENSION: {"suspension"},
        EndCause.CLOSING: {"closing"},
    }
