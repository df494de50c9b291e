"""ProfileService: what members write and show of themselves. Only the member sees it here."""

from __future__ import annotations

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
    ListHobbiesRequest,
    ListHobbiesResponse,
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
from unora_identity.domain.accounts import Account
from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.onboarding import missing_parts, missing_steps
from unora_identity.messages.profiles import STEPS, changed_profile, to_hidden_options, to_hobby, to_photo, to_profile
from unora_identity.resources import Resources
from unora_identity.store import members, profiles
from unora_identity.use_cases.photo_objects import delete_objects_of_deleted, links
from unora_identity.use_cases.photo_uploads import (
    ReceivedPhoto,
    add_received_photo,
    delete_what_is_left,
    offer_upload,
    receive_upload,
)
from unora_identity.use_cases.photos import delete_photo, set_photo_order
from unora_identity.use_cases.profiles import set_hobbies, update_profile


class Profiles:
    """Profile, hobbies and photos of the caller (PR-01 to PR-12)."""

    service = "unora.identity.v1.ProfileService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources = runtime.resources
        self.policy = runtime.resources.policy

    @reads
    async def GetProfile(self, request: GetProfileRequest, db: Session) -> GetProfileResponse:
        """PR-01, PR-05: the caller's profile and hobbies."""
        member = (await _get_own(db)).member
        return GetProfileResponse(profile=to_profile(member.profile), hobbies=map(to_hobby, member.hobbies))

    @idempotent
    async def UpdateProfile(self, request: UpdateProfileRequest, tx: Tx) -> UpdateProfileResponse:
        """PR-01, PR-10, ID-08: changes the fields that the mask names."""
        member = await update_profile(
            tx,
            self.policy,
            self.resources.places,
            lambda before: changed_profile(before, request.profile, request.update_mask),
        )
        hidden = to_hidden_options(member.hobbies)
        return UpdateProfileResponse(profile=to_profile(member.profile), hidden_hobby_option_ids=hidden)

    @reads
    async def GetOnboarding(self, request: GetOnboardingRequest, db: Session) -> GetOnboardingResponse:
        """PR-06: what the caller still lacks for Discovery. PR-10: which words are hidden, and should be rewritten."""
        account = await _get_own(db)
        steps = [STEPS[step] for step in missing_steps(account.member, account.now, self.policy)]
        return GetOnboardingResponse(
            discovery_ready=not steps,
            missing=steps,
            hidden_hobby_option_ids=to_hidden_options(account.member.hobbies),
            city_to_choose=account.member.profile.city_to_choose,
            missing_fields=missing_parts(account.member, account.now, self.policy),
        )

    @reads
    async def ListHobbyOptions(self, request: ListHobbyOptionsRequest, db: Session) -> ListHobbyOptionsResponse:
        """PR-05: the hobbies that members choose from."""
        options = [
            HobbyOption(hobby_option_id=option.id, name=option.name, category=option.category)
            for option in await profiles.list_options(db)
        ]
        return ListHobbyOptionsResponse(hobby_options=options)

    @reads
    async def ListHobbies(self, request: ListHobbiesRequest, db: Session) -> ListHobbiesResponse:
        """PR-05, PR-10: the caller's own hobbies, with the mark of hidden words."""
        return ListHobbiesResponse(hobbies=[to_hobby(hobby) for hobby in (await _get_own(db)).member.hobbies])

    @idempotent
    async def SetHobbies(self, request: SetHobbiesRequest, tx: Tx) -> SetHobbiesResponse:
        """PR-05, PR-10: replaces the caller's hobbies."""
        chosen = [Hobby(hobby.hobby_option_id, hobby.micro_description) for hobby in request.hobbies]
        hobbies = await set_hobbies(tx, self.policy, chosen)
        return SetHobbiesResponse(hobbies=[to_hobby(hobby) for hobby in hobbies])

    @custom_write
    async def CreatePhotoUpload(self, request: CreatePhotoUploadRequest, call: Call) -> CreatePhotoUploadResponse:
        """PR-02, PR-07: a form for one photo."""
        assert call.user is not None
        offered = await offer_upload(
            self.runtime,
            call.user,
            UUID(request.request_id),
            request.content_type,
            UUID(request.replaces_photo_id) if request.HasField("replaces_photo_id") else None,
        )
        return CreatePhotoUploadResponse(
            photo_id=str(offered.photo_id),
            url=offered.form.url,
            form_fields=offered.form.fields,
            expires_at=to_timestamp(offered.expires_at),
            max_bytes=self.resources.most_bytes,
        )

    @custom_idempotent
    async def CompletePhotoUpload(self, request: CompletePhotoUploadRequest, call: Call) -> CompletePhotoUploadResponse:
        """PR-02, PR-03, PR-07 to PR-09: makes an upload a photo, then deletes the uploaded file with its metadata, and
        the objects of the photo that was replaced.
        """
        assert call.user is not None
        response = await self._complete(request, call)
        await delete_what_is_left(self.runtime, call.user, UUID(request.photo_id))
        return response

    @reads
    async def ListPhotos(self, request: ListPhotosRequest, db: Session) -> ListPhotosResponse:
        """PR-04, PR-09: the caller's own photos, with links that are valid for minutes."""
        photos = (await _get_own(db)).member.photos
        return ListPhotosResponse(
            photos=[
                to_photo(photo, position, links(self.resources, photo))
                for position, photo in enumerate(photos, start=1)
            ]
        )

    @custom_idempotent
    async def DeletePhoto(self, request: DeletePhotoRequest, call: Call) -> DeletePhotoResponse:
        """PR-02, PR-04: deletes a photo, then its objects, so that its links stop working."""
        assert call.user is not None
        response = await self._delete(request, call)
        await delete_objects_of_deleted(self.resources, self.runtime.database, call.user, UUID(request.photo_id))
        return response

    @idempotent
    async def ReorderPhotos(self, request: ReorderPhotosRequest, tx: Tx) -> ReorderPhotosResponse:
        """PR-02, ID-04: puts the photos in another order."""
        photos = await set_photo_order(tx, self.resources, [UUID(photo) for photo in request.photo_ids])
        return ReorderPhotosResponse(
            photos=[to_photo(photo, position) for position, photo in enumerate(photos, start=1)]
        )

    @idempotent
    async def _delete(self, request: DeletePhotoRequest, tx: Tx) -> DeletePhotoResponse:
        await delete_photo(tx, self.resources, UUID(request.photo_id))
        return DeletePhotoResponse()

    async def _receive(self, request: CompletePhotoUploadRequest, call: Call) -> ReceivedPhoto | None:
        assert call.user is not None
        return await receive_upload(self.runtime, call.user, UUID(request.photo_id), UUID(request.request_id))

    @idempotent(prepare=_receive)
    async def _complete(
        self, request: CompletePhotoUploadRequest, tx: Tx, received: ReceivedPhoto | None
    ) -> CompletePhotoUploadResponse:
        photo, position = await add_received_photo(tx, self.resources, UUID(request.photo_id), received)
        return CompletePhotoUploadResponse(photo=to_photo(photo, position))


async def _get_own(db: Session) -> Account:
    """The caller's account. Raises Unauthenticated for the token of a member who no longer exists."""
    account = await members.find(db, db.user)
    if account is None:
        raise Unauthenticated
    return account
