"""DirectoryService: what other contexts may learn of a member, each the least it needs."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from unora.identity.v1.directory_service_pb2 import (
    DisclosedPhoto,
    DiscoveryProfile,
    GetDisclosureRequest,
    GetDisclosureResponse,
    GetDiscoveryProfileRequest,
    GetDiscoveryProfileResponse,
    GetRevealFactsRequest,
    GetRevealFactsResponse,
    GetTimeZonesRequest,
    GetTimeZonesResponse,
    ListRevocationsRequest,
    ListRevocationsResponse,
)
from unora_common.call import Call
from unora_common.database import Session
from unora_common.errors import DomainError, InvalidArgument
from unora_common.handlers import custom_read, reads
from unora_common.messages import AGE_BANDS, to_timestamp
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.age import age_at, age_band
from unora_identity.domain.card import card
from unora_identity.domain.digests import name_digests
from unora_identity.domain.profiles import is_adult
from unora_identity.messages import to_directory_hobby, to_discovery_profile
from unora_identity.resources import Resources
from unora_identity.store import members, revocations
from unora_identity.use_cases.disclosure import Request, disclosed

PAGE: Final = 50_000
"""Revocations in one answer: some two megabytes, of the four that a message may have."""


class UserNotFound(DomainError):
    """There is no such member."""

    code = "NOT_FOUND"
    reason = "USER_NOT_FOUND"


class Directory:
    """Facts about members for other contexts."""

    service = "unora.identity.v1.DirectoryService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources: Resources = runtime.resources
        self.policy = self.resources.policy

    @reads
    async def GetDiscoveryProfile(
        self, request: GetDiscoveryProfileRequest, db: Session
    ) -> GetDiscoveryProfileResponse:
        """DI-08: what a card may show."""
        user = UUID(request.user_id)
        kept = (await members.read(db, user)).get(user)
        if kept is None:
            return GetDiscoveryProfileResponse(profile=DiscoveryProfile(user_id=str(user)))
        shown = card(kept.member, kept.now, self.policy)
        return GetDiscoveryProfileResponse(profile=to_discovery_profile(user, kept.version, shown, kept.hobby_names))

    @reads
    async def GetTimeZones(self, request: GetTimeZonesRequest, db: Session) -> GetTimeZonesResponse:
        """ST-03: the members' time zones."""
        zones = await members.time_zones(db, [UUID(user) for user in request.user_ids])
        return GetTimeZonesResponse(time_zones={str(user): zone for user, zone in zones.items()})

    @reads
    async def GetRevealFacts(self, request: GetRevealFactsRequest, db: Session) -> GetRevealFactsResponse:
        """RE-04, RE-06: the member's own words, and the name only in a form in which it can be found in a text."""
        user = UUID(request.user_id)
        kept = (await members.read(db, user)).get(user)
        if kept is None:
            raise UserNotFound
        profile, salt = kept.member.profile, secrets.token_bytes(16)
        facts = GetRevealFactsResponse(
            hobbies=[to_directory_hobby(hobby, kept.hobby_names) for hobby in kept.member.hobbies],
            bio=profile.bio,
            occupation=profile.occupation,
            city=profile.city,
            name_digests=name_digests(profile.name, salt),
            name_salt=salt,
        )
        if profile.date_of_birth is not None and is_adult(profile, kept.now, self.policy):
            facts.age_band = AGE_BANDS[age_band(age_at(profile.date_of_birth, profile.time_zone, kept.now))]
        return facts

    @reads
    async def ListRevocations(self, request: ListRevocationsRequest, db: Session) -> ListRevocationsResponse:
        """SA-06: the sessions revoked so lately that it matters."""
        try:
            after = UUID(request.page_token) if request.page_token else revocations.FIRST
        except ValueError:
            raise InvalidArgument({"page_token": "is not one that this list gave"}) from None
        found = await revocations.page(db, self.policy.revocations_told, after, PAGE + 1)
        token = str(found[PAGE - 1]) if len(found) > PAGE else ""
        return ListRevocationsResponse(session_ids=map(str, found[:PAGE]), next_page_token=token)

    @custom_read
    async def GetDisclosure(self, request: GetDisclosureRequest, call: Call) -> GetDisclosureResponse:
        """RE-04, RE-10: name and photos of a partner, as long as the two may see each other."""
        asked = Request(
            streak=UUID(request.streak_id), viewer=UUID(request.viewer_id), subject=UUID(request.subject_id)
        )
        member = await disclosed(self.runtime, asked)
        life = self.policy.link_life
        expires_at = to_timestamp(self.resources.machine_now() + life)
        return GetDisclosureResponse(
            name=member.profile.name,
            photos=[
                DisclosedPhoto(
                    photo_id=str(photo.id),
                    url=self.resources.photos.link(photo.object_key, life=life),
                    url_expires_at=expires_at,
                )
                for photo in member.photos
            ],
        )


async def revoked_lately(runtime: Runtime[IdentityConfig, Resources]) -> frozenset[UUID]:
    """SA-06: the same list for identity itself, without a call."""
    found: list[UUID] = []
    while True:
        async with runtime.database.session() as db:
            after = found[-1] if found else revocations.FIRST
            page = await revocations.page(db, runtime.resources.policy.revocations_told, after, PAGE)
        found += page
        if len(page) < PAGE:
            return frozenset(found)
