"""ID-02: text messages with codes, by the carrier's ids. What it tells may come before the id is stored, in any order.

Nothing is locked before: each function is one statement on one row, and the greatest delivery stands.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.deliveries import Delivery

# Inserts nothing for a challenge that is gone.
ADD = """
    INSERT INTO identity.text_messages (message_id, challenge_id)
    SELECT $1, id FROM identity.phone_challenges WHERE id = $2 FOR KEY SHARE
    ON CONFLICT (message_id) DO UPDATE SET challenge_id = excluded.challenge_id"""
_RANK = "array_position(ARRAY[{}], {{}})".format(", ".join(f"'{each}'" for each in Delivery))
SAVE_DELIVERY = f"""
    INSERT INTO identity.text_messages AS m (message_id, delivery) VALUES ($1, $2)
    ON CONFLICT (message_id) DO UPDATE SET delivery = excluded.delivery
    WHERE m.delivery IS NULL OR {_RANK.format("m.delivery")} < {_RANK.format("excluded.delivery")}"""
PURGE = """
    DELETE FROM identity.text_messages WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM identity.text_messages WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""


async def add(tx: Tx, message_id: str, challenge: UUID) -> None:
    """Stores which code a message carries."""
    await tx.run(ADD, message_id, challenge)


async def save_delivery(tx: Tx, message_id: str, delivery: Delivery) -> bool:
    """Stores what the carrier told. Returns False if it was known, or something that stands was told before."""
    return await tx.run(SAVE_DELIVERY, message_id, delivery) == 1


async def purge(tx: Tx, created_before: datetime, limit: int) -> int:
    """Deletes messages of codes that count no more, by the machine's clock."""
    return await tx.run(PURGE, created_before, limit)
