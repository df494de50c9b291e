"""Restrictions as other contexts keep them."""

from __future__ import annotations

from unora.safety.v1.projection_service_pb2 import MemberRestriction

from unora_safety.domain.restrictions import Restriction


def to_member_restriction(restriction: Restriction) -> MemberRestriction:
    """A member's standing, for a projection."""
    return MemberRestriction(
        user_id=str(restriction.user_id),
        version=restriction.version,
        reduced_visibility=restriction.reduced_visibility,
        restricted=restriction.restricted,
        suspended=restriction.suspended,
    )
