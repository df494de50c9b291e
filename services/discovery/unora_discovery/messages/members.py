"""What discovery knows of members: their facts from other contexts, and their refresh timer for those."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora.billing.v1.events_pb2 import TierChanged
from unora.billing.v1.projection_service_pb2 import MemberTier
from unora.discovery.v1.projection_service_pb2 import MemberRefreshTimer
from unora.identity.v1 import profile_service_pb2
from unora.identity.v1.directory_service_pb2 import DiscoveryProfile
from unora.matching.v1.events_pb2 import (
    InventoryChanged,
)
from unora.matching.v1.projection_service_pb2 import MemberInventory
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora.safety.v1.projection_service_pb2 import MemberRestriction
from unora_common.database import Row
from unora_common.messages import (
    AGE_BAND_NAMES,
    TIER_NAMES,
    by_number,
    to_timestamp,
)

from unora_discovery.domain.pool import AgeBand, Gender, Hobby, Inventory, Profile, Restriction, Tier, TierNotice

GENDER_NAMES: Final = by_number(profile_service_pb2.Gender)


def from_profile(profile: DiscoveryProfile) -> Profile:
    """A member's profile, from identity."""
    return Profile(
        user_id=UUID(profile.user_id),
        version=profile.version,
        discovery_ready=profile.discovery_ready,
        gender=Gender(GENDER_NAMES[profile.gender]) if profile.gender else None,
        age_band=AgeBand(AGE_BAND_NAMES[profile.age_band]) if profile.age_band else None,
        city=profile.city,
        place_id=profile.place_id,
        trust_level=profile.trust_level,
        hobbies=tuple(Hobby(each.hobby_option_id, each.name, each.micro_description) for each in profile.hobbies),
        texts_version=profile.texts_version if profile.HasField("texts_version") else None,
        missing=tuple(profile.missing),
        paused=profile.paused,
    )


def from_tier(tier: MemberTier | TierChanged) -> TierNotice:
    """A member's tier, from billing."""
    return TierNotice(user_id=UUID(tier.user_id), version=tier.version, tier=Tier(TIER_NAMES[tier.tier]))


def from_inventory(event: InventoryChanged | MemberInventory) -> Inventory:
    """A member's slots, from matching."""
    return Inventory(
        user_id=UUID(event.user_id),
        version=event.version,
        active_connection_count=event.active_connection_count,
        connection_limit=event.connection_limit,
    )


def from_restriction(event: RestrictionChanged | MemberRestriction) -> Restriction:
    """A member's restrictions, from safety."""
    return Restriction(
        user_id=UUID(event.user_id),
        version=event.version,
        reduced_visibility=event.reduced_visibility,
        restricted=event.restricted,
        suspended=event.suspended,
    )


def to_member_refresh_timer(row: Row) -> MemberRefreshTimer:
    """A member's timer, for a projection."""
    return MemberRefreshTimer(
        user_id=str(row["user_id"]),
        version=row["version"],
        last_global_refresh_at=to_timestamp(row["last_global_refresh_at"]),
        refresh_available_at=to_timestamp(row["refresh_available_at"]),
    )
