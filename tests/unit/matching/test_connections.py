"""A connection's life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from unora_common.ids import uuid7
from unora_matching.domain import (
    Connection,
    ConnectionOver,
    ConnectionStatus,
    EndCause,
    EndReason,
    end,
    form,
    unlock_chat,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=15)
LOW, HIGH = UUID(int=1), UUID(int=2)


def connection() -> Connection:
    return form(uuid7(), HIGH, LOW, "friend", NOW)


@pytest.mark.rule("MA-08")
def test_the_pair_is_ordered_and_bound_to_the_server() -> None:
    formed = connection()
    assert (formed.pair, formed.server_type, formed.formed_at) == ((LOW, HIGH), "friend", NOW)
    assert (formed.partner_of(LOW), formed.partner_of(HIGH)) == (HIGH, LOW)
    with pytest.raises(ValueError, match="themselves"):
        form(uuid7(), LOW, LOW, "friend", NOW)


@pytest.mark.rule("MA-09")
def test_it_ends_once() -> None:
    ended = end(connection(), LATER)
    assert (ended.status, ended.ended_at, ended.version) == (ConnectionStatus.ENDED, LATER, 2)
    with pytest.raises(ConnectionOver):
        end(ended, LATER)


@pytest.mark.rule("ST-11")
def test_chat_opens_once_and_only_while_it_is_active() -> None:
    open_ = unlock_chat(connection(), LATER, LATER + timedelta(hours=1))
    assert open_ is not None
    assert (open_.chat_unlocked_at, open_.status, open_.version) == (LATER, ConnectionStatus.ACTIVE, 2)
    assert unlock_chat(open_, LATER, LATER) is None
    assert unlock_chat(end(connection(), LATER), LATER, LATER) is None


@pytest.mark.rule("ST-11")
def test_chat_never_opens_in_the_future() -> None:
    open_ = unlock_chat(connection(), LATER, NOW)
    assert open_ is not None
    assert open_.chat_unlocked_at == NOW


@pytest.mark.rule("MA-09", "MA-12", "SA-06")
def test_what_ended_it_follows_from_why() -> None:
    by_cause = {cause: {reason.value for reason in EndReason if reason.cause is cause} for cause in EndCause}
    members_own = {"not_a_fit", "no_time", "unresponsive", "uncomfortable", "other"}
    assert by_cause == {
        EndCause.MEMBER: members_own,
        EndCause.BLOCK: {"block"},
        EndCause.SUSPENSION: {"suspension"},
    }
