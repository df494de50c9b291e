"""Archives of members' own data."""

from __future__ import annotations

from typing import Final

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.store import (
    exports,
)
from unora_identity.use_cases.export_archives import delete_archives, make_next_archive

ARCHIVE_BATCH: Final = 20


class ExportJobs:
    """Safe on any number of replicas: one at a time has the claim of an export."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=5, due=lambda _, db: exports.count_waiting(db))
    async def make_archives(self) -> int:
        """ID-10: makes the archive of a member's own data, one at a time in each process."""
        return await make_next_archive(self.runtime)

    @every(seconds=60)
    async def delete_archives(self) -> int:
        """ID-10: deletes archives that were kept long enough, with whatever a crash has left of them."""
        return await delete_archives(self.runtime, ARCHIVE_BATCH)
