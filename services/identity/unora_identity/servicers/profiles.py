"""ProfileService: what a member says and shows of themselves, to themselves alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CompletePhotoUploadResponse,
    CreatePhotoUploadRequest,
    CreatePhotoUploadResponse,
    DeletePhotoRequest,
    DeletePhotoResponse,
    GetOnboardingRequest,
    GetOnboardingResponse,
    GetProfileRequest,
    GetProfileResponse,
    HobbyOption,
    ListHobbyOptionsRequest,
    ListHobbyOptionsResponse,
    ListPhotosRequest,
    ListPhotosResponse,
    ReorderPhotosRequest,
    ReorderPhotosResponse,
    SetHobbiesRequest,
    SetHobbiesResponse,
    UpdateProfileRequest,
    UpdateProfileResponse,
)
from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.errors import Unauthenticated
from unora_common.handlers import custom_idempotent, custom_write, idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.hobbies import Hobby, choose
from unora_identity.domain.onboarding import missing
from unora_identity.domain.profiles import check, stay_locked
from unora_identity.messages import STEPS, changed_profile, to_hobby, to_photo, to_profile
from unora_identity.providers.photos import StoreUnavailable
from unora_identity.resources import Resources
from unora_identity.store import members, profiles
from unora_identity.store.members import Kept
from unora_identity.use_cases import photo_uploads
from unora_identity.use_cases.member_update import update_member
from unora_identity.use_cases.photo_uploads import Received


class Profiles:
    """Profile, hobbies and photos of the caller (PR-01 to PR-07)."""

    service = "unora.identity.v1.ProfileService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources: Resources = runtime.resources
        self.policy = self.resources.policy

    @reads
    async def GetProfile(self, request: GetProfileRequest, db: Session) -> GetProfileResponse:
        """PR-01: the caller's profile."""
        return GetProfileResponse(profile=to_profile((await _own(db)).member.profile))

    @idempotent
    async def UpdateProfile(self, request: UpdateProfileRequest, tx: Tx) -> UpdateProfileResponse:
        """PR-01, ID-08: changes what the mask names."""
        async with update_member(tx, tx.user, self.policy) as change:
            told = changed_profile(change.before.profile, request.profile, request.update_mask)
            profile = check(told, tx.now, self.policy)
            if change.before.gov_id_verified:
                stay_locked(change.before.profile, profile)
            change.to(replace(change.before, profile=profile))
            await profiles.save_profile(tx, tx.user, profile)
        return UpdateProfileResponse(profile=to_profile(profile))

    @reads
    async def GetOnboarding(self, request: GetOnboardingRequest, db: Session) -> GetOnboardingResponse:
        """PR-06: what is missing before Discovery."""
        kept = await _own(db)
        steps = [STEPS[what] for what in missing(kept.member, kept.now, self.policy)]
        return GetOnboardingResponse(discovery_ready=not steps, missing=steps)

    @reads
    async def ListHobbyOptions(self, request: ListHobbyOptionsRequest, db: Session) -> ListHobbyOptionsResponse:
        """PR-05: the hobbies there are."""
        options = [
            HobbyOption(hobby_option_id=option.id, name=option.name, category=option.category)
            for option in await profiles.options(db)
        ]
        return ListHobbyOptionsResponse(hobby_options=options)

    @idempotent
    async def SetHobbies(self, request: SetHobbiesRequest, tx: Tx) -> SetHobbiesResponse:
        """PR-05: replaces the caller's hobbies."""
        told = [Hobby(hobby.hobby_option_id, hobby.micro_description) for hobby in request.hobbies]
        options = {option.id for option in await profiles.options(tx)}
        async with update_member(tx, tx.user, self.policy) as change:
            chosen = choose(told, options, self.policy)
            change.to(replace(change.before, hobbies=chosen))
            await profiles.save_hobbies(tx, tx.user, chosen)
        return SetHobbiesResponse(hobbies=[to_hobby(hobby) for hobby in chosen])

    @custom_write
    async def CreatePhotoUpload(self, request: CreatePhotoUploadRequest, call: Call) -> CreatePhotoUploadResponse:
        """PR-02, PR-07: a form for one photo."""
        assert call.user is not None
        offered = await photo_uploads.offer(
            self.runtime.database,
            self.resources,
            call.user,
            UUID(request.request_id),
            request.content_type,
            UUID(request.replaces_photo_id) if request.HasField("replaces_photo_id") else None,
        )
        return CreatePhotoUploadResponse(
            photo_id=str(offered.photo),
            url=offered.form.url,
            form_fields=offered.form.fields,
            expires_at=to_timestamp(offered.expires_at),
            max_bytes=self.resources.most_bytes,
        )

    @custom_idempotent
    async def CompletePhotoUpload(self, request: CompletePhotoUploadRequest, call: Call) -> CompletePhotoUploadResponse:
        """PR-02, PR-03, PR-07: the upload becomes a photo, and the file as it came is deleted, with all it says."""
        assert call.user is not None
        answer = await self._complete(request, call)
        with suppress(StoreUnavailable):  # then the clean-up deletes it, some hours later
            await self.resources.photos.delete(photo_uploads.upload_key(call.user, UUID(request.photo_id)))
        return answer

    @reads
    async def ListPhotos(self, request: ListPhotosRequest, db: Session) -> ListPhotosResponse:
        """PR-04: the caller's own photos, with links that live for minutes."""
        photos = (await _own(db)).member.photos
        link, life = self.resources.photos.link, self.policy.link_life
        return ListPhotosResponse(
            photos=[
                to_photo(photo, position, link(photo.object_key, life=life))
                for position, photo in enumerate(photos, start=1)
            ]
        )

    @idempotent
    async def DeletePhoto(self, request: DeletePhotoRequest, tx: Tx) -> DeletePhotoResponse:
        """PR-02: a photo less."""
        await photo_uploads.delete(tx, self.resources, UUID(request.photo_id))
        return DeletePhotoResponse()

    @idempotent
    async def ReorderPhotos(self, request: ReorderPhotosRequest, tx: Tx) -> ReorderPhotosResponse:
        """PR-02, ID-04: the photos in another order."""
        photos = await photo_uploads.reorder(tx, self.resources, [UUID(photo) for photo in request.photo_ids])
        return ReorderPhotosResponse(photos=[to_photo(photo, number) for number, photo in enumerate(photos, start=1)])

    async def _receive(self, request: CompletePhotoUploadRequest, call: Call) -> Received | None:
        assert call.user is not None
        return await photo_uploads.receive(self.runtime.database, self.resources, call.user, UUID(request.photo_id))

    @idempotent(prepare=_receive)
    async def _complete(
        self, request: CompletePhotoUploadRequest, tx: Tx, received: Received | None
    ) -> CompletePhotoUploadResponse:
        photo, position = await photo_uploads.keep(tx, self.resources, UUID(request.photo_id), received)
        return CompletePhotoUploadResponse(photo=to_photo(photo, position))


async def _own(db: Session) -> Kept:
    kept = (await members.read(db, db.user)).get(db.user)
    if kept is None:
        raise Unauthenticated  # a token whose member is not there is none
    return kept
