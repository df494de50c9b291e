"""What a subscriber reads: variables, names, and messages by whatever publisher."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.msg import Msg
from unora.streak.v1.events_pb2 import CheckedIn
from unora_sdk import ConfigError, Options, Settings
from unora_sdk.deliveries import NotAnEventError, read
from unora_sdk.events import to_event
from unora_sdk.handling import Handling
from unora_sdk.names import durable, inbox, stream, subject_of
from unora_sdk.settings import Durable

ID, STREAK = "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"
SUBJECT = subject_of(CheckedIn)
HEADERS = {
    "ce-id": ID,
    "ce-source": "/unora/streak",
    "ce-type": SUBJECT,
    "ce-subject": STREAK,
    "ce-time": "2026-03-01T12:00:00Z",
}
HANDLING = Handling[Any]("push__checked_in", "streak", SUBJECT, CheckedIn, lambda event, transaction: None)
VARIABLES = {
    "UNORA_NATS_URL": "tls://push:secret@127.0.0.1:4222",
    "UNORA_NATS_INBOX": "_INBOX.push",
    "UNORA_NATS_CONSUMERS": "unora_streak/push__checked_in unora_matching/push__connection_formed",
    "UNORA_TLS_CA": "ca.pem",
    "UNORA_TLS_CERT": "cert.pem",
    "UNORA_TLS_KEY": "key.pem",
}


def message(payload: bytes | None = None, subject: str = SUBJECT, **changes: str) -> Msg:
    """An event of a relay, with other headers; `_` stands for `-` in their names."""
    data = CheckedIn(streak_id=STREAK, version=3).SerializeToString() if payload is None else payload
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changes.items()}
    return Msg(None, subject, "", data, headers)  # type: ignore[arg-type]


def test_names_are_those_of_the_platform() -> None:
    assert (stream("streak"), durable("push", SUBJECT), inbox("push")) == (
        "unora_streak",
        "push__checked_in",
        "_INBOX.push",
    )
    assert durable("safety", "unora.streak.v1.>") == "safety__all_streak"


def test_an_event_is_read() -> None:
    event = to_event(read(message(), HANDLING, HANDLING.consumer), attempt=2)
    assert (str(event.id), str(event.subject), event.version, event.attempt) == (ID, STREAK, 3, 2)
    assert (event.time, event.published_again, event.trace_parent) == (datetime(2026, 3, 1, 12, tzinfo=UTC), None, "")


@pytest.mark.parametrize("said", ["", "x", "2026-03-01", "2026-03-01T12:00:00", "0001-01-01T00:00:00+23:59", "\x00"])
def test_a_time_of_telling_that_cannot_be_read_is_none(said: str) -> None:
    assert to_event(read(message(unora_again=said), HANDLING, HANDLING.consumer), attempt=1).published_again is None


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (message(subject="unora.streak.v1.day_began"), "subject"),
        (message(subject="dead.push.x", unora_subject="unora.matching.v1.x"), "subject"),
        (message(ce_id=ID.upper()), "id"),
        (message(ce_id=""), "id"),
        (message(ce_source="/unora/billing"), "source"),
        (message(ce_type="unora.streak.v1.day_began"), "type"),
        (message(ce_subject=ID), "aggregate"),
        (message(ce_time="2026-03-01T12:00:00"), "time"),
        (message(payload=b"\xff"), "payload"),
        (message(payload=b""), "payload"),
    ],
)
def test_a_message_that_is_no_event_is_refused_with_the_reason(hostile: Msg, reason: str) -> None:
    with pytest.raises(NotAnEventError) as refused:
        read(hostile, HANDLING, HANDLING.consumer)
    assert refused.value.reason == reason


def test_settings_are_read_from_the_variables() -> None:
    found = Settings.from_environment(VARIABLES)
    assert found.consumers[0] == Durable("unora_streak", "push__checked_in")
    assert [each.reads("unora_streak", SUBJECT) for each in found.consumers] == [True, False]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is not set.*tutorial-subscriber"):
        Settings.from_environment(VARIABLES | {name: ""})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("UNORA_NATS_URL", "nats://x", "begins with tls://"),
        ("UNORA_NATS_CONSUMERS", "push__checked_in", "is not stream/consumer"),
        ("UNORA_NATS_CONSUMERS", "a/b/c", "is not stream/consumer"),
    ],
)
def test_a_variable_that_cannot_be_read_says_what_it_should_hold(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Settings.from_environment(VARIABLES | {name: value})


def test_delays_grow_and_the_last_one_stays() -> None:
    assert [Options(delays=(1.0, 5.0)).delay(failures) for failures in (1, 2, 3)] == [1.0, 5.0, 5.0]
    with pytest.raises(ValueError, match="at least 1"):
        Options(tries=0)
