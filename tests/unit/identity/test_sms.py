"""ID-02: the text messages of local runs."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unora_identity.providers.sms import SandboxSms, SmsSender

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
