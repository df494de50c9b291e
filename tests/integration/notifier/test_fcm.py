"""FCM over HTTP v1: what is sent, and what each answer leads to."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from unora.identity.v1.device_service_pb2 import PUSH_PLATFORM_FCM
from unora_notifier.carriers import DeadTokenError, NotTakenError, Push, RefusedError
from unora_notifier.fcm import Account, Fcm
from unora_sdk import ConfigError

from tests.integration.notifier.google import KEY, Answer, Google

PUSH = Push("member", PUSH_PLATFORM_FCM, "device-token", "match", "You have a new connection.", timedelta(minutes=90))


@pytest.fixture
async def fcm(google: Google, tmp_path: Path) -> AsyncIterator[Fcm]:
    made = Fcm(Account.read(google.account(tmp_path)), google.url)
    yield made
    await made.close()


async def test_a_message_has_text_kind_and_how_long_it_lasts(fcm: Fcm, google: Google) -> None:
    await fcm.send(PUSH)
    (message,) = google.sent
    expires = int(message.pop("apns")["headers"]["apns-expiration"])
    assert abs(expires - (time.time() + 5400)) < 60
    assert message == {
        "token": "device-token",
        "notification": {"body": "You have a new connection."},
        "data": {"kind": "match"},
        "android": {"ttl": "5400s"},
    }


async def test_one_bearer_token_serves_many_messages_until_it_is_refused(fcm: Fcm, google: Google) -> None:
    await fcm.send(PUSH)
    await fcm.send(PUSH)
    assert (google.bearers, len(google.sent)) == (1, 2)
    google.expire()
    await fcm.send(PUSH)
    assert (google.bearers, len(google.sent)) == (3, 3)


async def test_a_bearer_token_that_is_refused_is_replaced_once(fcm: Fcm, google: Google) -> None:
    google.answers = [Answer(401, "THIRD_PARTY_AUTH_ERROR")] * 3
    with pytest.raises(RefusedError, match=r"^FCM: 401 THIRD_PARTY_AUTH_ERROR$"):
        await fcm.send(PUSH)
    assert (google.bearers, google.tried, google.sent) == (2, 2, [])


async def test_a_token_that_is_unregistered_is_dead(fcm: Fcm, google: Google) -> None:
    google.dead = {PUSH.token}
    with pytest.raises(DeadTokenError):
        await fcm.send(PUSH)


@pytest.mark.parametrize("body", ["", "<html>not here</html>", "[]", '{"error": "x"}', '{"error": {"details": [1]}}'])
async def test_another_404_is_no_word_about_the_token(fcm: Fcm, google: Google, body: str) -> None:
    google.answers = [Answer(404, body=body)]
    with pytest.raises(RefusedError):
        await fcm.send(PUSH)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_fcm_says_when_to_come_again(fcm: Fcm, google: Google, status: int) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
    google.answers = [Answer(status, retry_after="7"), Answer(status), Answer(status, retry_after=soon)]
    delays = []
    for _ in range(3):
        with pytest.raises(NotTakenError) as raised:
            await fcm.send(PUSH)
        delays.append(raised.value.delay)
    assert delays[:2] == [7.0, 60.0]
    assert 200 < delays[2] <= 300
    await fcm.send(PUSH)
    assert len(google.sent) == 1


async def test_an_fcm_that_cannot_be_reached_took_nothing(fcm: Fcm, google: Google) -> None:
    await google.stop()
    with pytest.raises(NotTakenError, match="cannot be reached"):
        await fcm.send(PUSH)
    await google.start()


async def test_an_account_that_google_refuses_is_said(fcm: Fcm, google: Google) -> None:
    google.refuses_account = Answer(400, body='{"error": "invalid_grant"}')
    with pytest.raises(RefusedError, match=r"refuses the service account: 400 .*invalid_grant"):
        await fcm.send(PUSH)
    google.refuses_account = Answer(503, retry_after="3")
    with pytest.raises(NotTakenError) as raised:
        await fcm.send(PUSH)
    assert raised.value.delay == 3.0
    google.refuses_account = Answer(200, body="[]")
    with pytest.raises(NotTakenError, match="gives no token"):
        await fcm.send(PUSH)
    assert google.sent == []


def test_a_file_that_is_no_account_is_said(google: Google, tmp_path: Path) -> None:
    file = google.account(tmp_path)
    assert "PRIVATE" not in repr(Account.read(file))
    values = json.loads(file.read_text())
    secret = values.pop("private_key")
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    ec = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    bad_keys = [
        json.dumps(values | {"private_key": key}) for key in ("no key", "", public, ec, secret.replace("M", "N"))
    ]
    for text in (*bad_keys, json.dumps(values), "[]", "{", ""):
        file.write_text(text)
        with pytest.raises(ConfigError, match=r"account\.json is not the JSON file of a service account") as raised:
            Account.read(file)
        assert secret[40:60] not in str(raised.value)
    with pytest.raises(ConfigError, match="FileNotFoundError"):
        Account.read(tmp_path / "missing.json")


def test_a_push_does_not_show_its_token() -> None:
    assert PUSH.token not in repr(PUSH)
