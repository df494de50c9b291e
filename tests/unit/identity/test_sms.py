"""ID-02: the text messages of local runs."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unora_identity.providers.sms import SandboxSms, SmsSender
from unora_identity.providers.twilio import sign

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.mark.rule("ID-02")
async def test_messages_are_lines_in_a_file_also_when_sent_at_once(tmp_path: Path) -> None:
    outbox = tmp_path / "run" / "sms.jsonl"
    replicas: list[SmsSender] = [SandboxSms(outbox, lambda: NOW), SandboxSms(outbox, lambda: NOW)]
    sent = [(f"+4179123{number:04}", f"{number:06}") for number in range(200)]
    await asyncio.gather(*(replicas[number % 2].send_code(to, code) for number, (to, code) in enumerate(sent)))
    messages = [json.loads(line) for line in outbox.read_text().splitlines()]
    assert sorted((message["to"], message["code"]) for message in messages) == sent
    assert all(message["code"] in message["text"] and message["at"] == NOW.isoformat() for message in messages)
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o600


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize(
    ("key", "address", "fields", "made"),
    [
        (
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            {
                "CallSid": "CA1234567890ABCDE",
                "Caller": "+14158675309",
                "Digits": "1234",
                "From": "+14158675309",
                "To": "+18005551212",
            },
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "a" * 32,
            "https://api.unora.example/v1/webhooks/sms",
            {
                "AccountSid": "AC" + "0" * 32,
                "From": "+15550001111",
                "MessageSid": "SM" + "1" * 32,
                "MessageStatus": "undelivered",
                "ErrorCode": "30003",
                "To": "+4915112345678",
                "RawDlrDoneDate": "2601101200",
                "Umlaut": "grün & + =",
                "Empty": "",
            },
            "+kd3c4IuZYDoff3B7IDglhf6QeA=",
        ),
    ],
)
def test_signatures_are_those_that_the_carriers_own_library_makes(
    key: str, address: str, fields: dict[str, str], made: str
) -> None:
    """The values come from RequestValidator.compute_signature of the package twilio 9.13.0."""
    assert sign(key.encode(), address, list(fields.items())).decode() == made
    assert sign(key.encode(), address, list(reversed(fields.items()))).decode() == made
    assert sign(key.encode(), address, [*fields.items(), ("Added", "1")]).decode() != made
