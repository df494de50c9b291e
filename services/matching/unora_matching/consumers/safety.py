"""Events of safety."""

from __future__ import annotations

from unora.safety.v1.events_pb2 import MemberBlocked, MemberUnblocked, RestrictionChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.runtime import Runtime

from unora_matching.config import MatchingConfig
from unora_matching.messages import from_block, from_restriction
from unora_matching.use_cases.blocks import block_pair, unblock_pair
from unora_matching.use_cases.restrictions import change_restriction


class SafetyEvents:
    """Blocks and restrictions."""

    def __init__(self, runtime: Runtime[MatchingConfig, None]) -> None:
        self.runtime = runtime
        self.slots = runtime.config.policy.slots

    @on(MemberBlocked)
    async def on_member_blocked(self, event: MemberBlocked, tx: Tx) -> None:
        """MA-12: ends the pair's connection and keeps the two apart."""
        await block_pair(tx, from_block(event, blocked=True), self.slots)

    @on(MemberUnblocked)
    async def on_member_unblocked(self, event: MemberUnblocked, tx: Tx) -> None:
        """MA-12. It may arrive before its block."""
        await unblock_pair(tx, from_block(event, blocked=False), self.slots)

    @on(RestrictionChanged)
    async def on_restriction_changed(self, event: RestrictionChanged, tx: Tx) -> None:
        """SA-06, SA-08: interests of a restricted member never match; a suspended member has no connections."""
        await change_restriction(tx, from_restriction(event), self.slots)
