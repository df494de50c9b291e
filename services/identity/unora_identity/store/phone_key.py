"""By which key the stored phone numbers were hashed (ID-01)."""

from __future__ import annotations

from unora_common.database import Tx

KEEP = "INSERT INTO identity.phone_key (fingerprint) VALUES ($1) ON CONFLICT (id) DO NOTHING"
FINGERPRINT = "SELECT fingerprint FROM identity.phone_key"


async def save_if_absent(tx: Tx, fingerprint: bytes) -> bytes:
    """Stores the fingerprint of the key, unless one is stored. Returns the stored one."""
    stored: bytes | None = await tx.value(FINGERPRINT)
    if stored is None:  # the first start of all; if several processes try at once, one of them stores its own
        await tx.run(KEEP, fingerprint)
        stored = await tx.value(FINGERPRINT)
    assert stored is not None
    return stored
