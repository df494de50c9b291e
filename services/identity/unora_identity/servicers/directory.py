"""DirectoryService: what other contexts may learn of a member, each only what it needs."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from unora.identity.v1.directory_service_pb2 import (
    GetDisclosureRequest,
    GetDisclosureResponse,
    GetDiscoveryProfileRequest,
    GetDiscoveryProfileResponse,
    GetDiscoveryProfilesRequest,
    GetDiscoveryProfilesResponse,
    GetPartnerNamesRequest,
    GetPartnerNamesResponse,
    GetRevealFactsRequest,
    GetRevealFactsResponse,
    GetTimeZonesRequest,
    GetTimeZonesResponse,
    ListDiscoveryProfilesRequest,
    ListDiscoveryProfilesResponse,
    ListRevocationsRequest,
    ListRevocationsResponse,
)
from unora_common.call import Call
from unora_common.database import Session
from unora_common.errors import DomainError
from unora_common.handlers import custom_read, reads
from unora_common.messages import AGE_BANDS
from unora_common.pages import id_after
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.age import age_at, age_band
from unora_identity.domain.digests import name_digests
from unora_identity.domain.photos import PhotoSize
from unora_identity.domain.profiles import is_adult
from unora_identity.messages.directory import to_directory_hobby, to_disclosed_name, to_disclosed_photo
from unora_identity.resources import Resources
from unora_identity.store import members
from unora_identity.use_cases.disclosure import DisclosureRequest, get_disclosed_member
from unora_identity.use_cases.discovery_profiles import get_profiles, list_profiles
from unora_identity.use_cases.partner_names import list_disclosed_members
from unora_identity.use_cases.photo_objects import links
from unora_identity.use_cases.revocations import list_recent

PROFILES_ON_A_PAGE: Final = 500


class UserNotFound(DomainError):
    """There is no such member."""

    code = "NOT_FOUND"
    reason = "USER_NOT_FOUND"
    sentence = "This member does not exist."


class Directory:
    """Facts about members for other contexts."""

    service = "unora.identity.v1.DirectoryService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.resources.policy

    @reads
    async def GetDiscoveryProfile(
        self, request: GetDiscoveryProfileRequest, db: Session
    ) -> GetDiscoveryProfileResponse:
        """DI-08: what a card may show."""
        (profile,) = await get_profiles(db, [UUID(request.user_id)], self.policy)
        return GetDiscoveryProfileResponse(profile=profile)

    @reads
    async def GetDiscoveryProfiles(
        self, request: GetDiscoveryProfilesRequest, db: Session
    ) -> GetDiscoveryProfilesResponse:
        """DI-08: what cards may show."""
        profiles = await get_profiles(db, [UUID(user) for user in request.user_ids], self.policy)
        return GetDiscoveryProfilesResponse(profiles=profiles)

    @reads
    async def ListDiscoveryProfiles(
        self, request: ListDiscoveryProfilesRequest, db: Session
    ) -> ListDiscoveryProfilesResponse:
        """DI-08, XX-08: what cards may show of all members."""
        size = request.page_size or PROFILES_ON_A_PAGE
        profiles, following = await list_profiles(db, id_after(request.page_token), size, self.policy)
        return ListDiscoveryProfilesResponse(profiles=profiles, next_page_token=str(following or ""))

    @reads
    async def GetTimeZones(self, request: GetTimeZonesRequest, db: Session) -> GetTimeZonesResponse:
        """ST-03: the members' time zones."""
        zones = await members.list_time_zones(db, [UUID(user) for user in request.user_ids])
        return GetTimeZonesResponse(time_zones={str(user): zone for user, zone in zones.items()})

    @reads
    async def GetRevealFacts(self, request: GetRevealFactsRequest, db: Session) -> GetRevealFactsResponse:
        """RE-04, RE-06: the member's own words. Of the name only digests, by which it can be found in a text."""
        account = await members.find(db, UUID(request.user_id))
        if account is None:
            raise UserNotFound
        profile, salt = account.member.profile, secrets.token_bytes(16)
        facts = GetRevealFactsResponse(
            hobbies=[to_directory_hobby(hobby, account.hobby_names) for hobby in account.member.hobbies],
            bio=profile.bio,
            occupation=profile.occupation,
            city=profile.shown_city,
            name_digests=name_digests(profile.name, salt),
            name_salt=salt,
        )
        if profile.date_of_birth is not None and is_adult(profile, account.now, self.policy):
            age = age_at(profile.date_of_birth, profile.time_zone, account.now)
            facts.age_band = AGE_BANDS[age_band(age)]
        return facts

    @reads
    async def ListRevocations(self, request: ListRevocationsRequest, db: Session) -> ListRevocationsResponse:
        """SA-06: the sessions that were revoked so recently that their access tokens may still be valid."""
        page, following = await list_recent(db, self.policy, id_after(request.page_token))
        token = str(following) if following else ""
        return ListRevocationsResponse(session_ids=map(str, page), next_page_token=token)

    @custom_read
    async def GetDisclosure(self, request: GetDisclosureRequest, call: Call) -> GetDisclosureResponse:
        """RE-04, RE-10: name and photos of a partner, as long as the two may see each other."""
        member = await get_disclosed_member(
            self.runtime,
            DisclosureRequest(
                streak=UUID(request.streak_id), viewer=UUID(request.viewer_id), subject=UUID(request.subject_id)
            ),
        )
        resources = self.runtime.resources
        expires_at = resources.machine_now() + self.policy.link_life
        return GetDisclosureResponse(
            name=member.profile.name,
            photos=[to_disclosed_photo(photo, links(resources, photo), expires_at) for photo in member.photos],
        )

    @custom_read
    async def GetPartnerNames(self, request: GetPartnerNamesRequest, call: Call) -> GetPartnerNamesResponse:
        """RE-13: first name and thumbnail of partners, as long as each may be seen."""
        viewer = UUID(request.viewer_id)
        asked = [
            DisclosureRequest(streak=UUID(each.streak_id), viewer=viewer, subject=UUID(each.subject_id))
            for each in request.partners
        ]
        found = await list_disclosed_members(self.runtime, asked)
        resources, life = self.runtime.resources, self.policy.link_life
        expires_at = resources.machine_now() + life
        names = GetPartnerNamesResponse()
        for each in request.partners:
            if member := found.get(UUID(each.streak_id)):
                shown = next((photo for photo in member.photos if str(photo.id) in each.photo_ids), None)
                url = resources.photo_store.link(shown.key_of(PhotoSize.THUMBNAIL), life=life) if shown else ""
                names.names.append(to_disclosed_name(each.streak_id, member.profile.first_name, url, expires_at))
        return names
