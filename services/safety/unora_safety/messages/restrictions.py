"""Restrictions and blocks as other contexts keep them."""

from __future__ import annotations

from datetime import datetime

from unora.safety.v1.projection_service_pb2 import BlockState, MemberRestriction
from unora_common.database import Row
from unora_common.messages import to_timestamp

from unora_safety.domain.restrictions import Restriction


def to_member_restriction(restriction: Restriction, changed_at: datetime) -> MemberRestriction:
    """A member's standing, decided at this time (UTC), for a projection."""
    return MemberRestriction(
        user_id=str(restriction.user_id),
        version=restriction.version,
        reduced_visibility=restriction.reduced_visibility,
        restricted=restriction.restricted,
        suspended=restriction.suspended,
        changed_at=to_timestamp(changed_at),
    )


def to_block_state(row: Row) -> BlockState:
    """What was told last of one member's blocks of another, for a projection."""
    return BlockState(
        blocker_id=str(row["blocker_id"]),
        blocked_id=str(row["blocked_id"]),
        block_id=str(row["block_id"]),
        version=row["version"],
        in_force=row["in_force"],
        changed_at=to_timestamp(row["changed_at"]),
    )
