"""The watch over phone.key, in each process that serves calls."""

from __future__ import annotations

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.store import (
    phone_key,
)


class PhoneKeyWatch:
    """Keeps a process from taking calls that has another phone.key than the database (ID-01)."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=5)
    async def check_phone_key(self) -> int:
        """Compares the key with the one of the first process. Raises PhoneKeyDiffers."""
        known = self.runtime.resources.phone_key
        async with self.runtime.database.transaction() as tx:
            stored = await phone_key.save_if_absent(tx, known.fingerprint)
        known.compare(stored)
        return 0
