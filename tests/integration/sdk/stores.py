"""What tests write into a store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from unora_sdk import DeadLetter

from tests.integration.sdk.platform import CONSUMER, NOON


async def record(store: Any, identifier: Any, time: datetime = NOON) -> bool:
    async with store.transaction() as transaction:
        found: bool = await store.record(transaction, CONSUMER, identifier, time)
        return found


def letter(key: str, payload: bytes = b"\x00\xff") -> DeadLetter:
    headers, now = {"ce-id": "\x00ü"}, datetime.now(UTC)
    return DeadLetter(CONSUMER, key, "unora.streak.v1.x\x00", headers, payload, "broken\x00", now)
