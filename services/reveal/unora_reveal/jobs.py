"""Scheduled jobs of reveal."""

from __future__ import annotations

from unora_common.database import Tx
from unora_common.erasing import Erasing, Erasure, receipt_of

from unora_reveal.domain.events import MemberErasedFromReveal
from unora_reveal.messages import to_message


class ErasureJobs(Erasing):
    """ID-09: erases members."""

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """The receipt, which identity waits for."""
        tx.emit(to_message(receipt_of(MemberErasedFromReveal, erasure, tx)))
