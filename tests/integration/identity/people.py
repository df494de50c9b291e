"""Members as their apps bring them: through gRPC, with codes read from the sandbox of text messages."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import (
    RefreshSessionRequest,
    RefreshSessionResponse,
    SessionTokens,
    StartPhoneVerificationRequest,
    StartPhoneVerificationResponse,
    VerifyPhoneRequest,
    VerifyPhoneResponse,
)
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora.identity.v1.profile_service_pb2 import (
    GENDER_WOMAN,
    CompletePhotoUploadRequest,
    CreatePhotoUploadRequest,
    CreatePhotoUploadResponse,
    Hobby,
    Photo,
    Profile,
    SetHobbiesRequest,
    UpdateProfileRequest,
)
from unora.identity.v1.profile_service_pb2_grpc import ProfileServiceStub
from unora_identity.resources import Resources
from unora_local.inprocess import Caller, World
from unora_local.people.photos import portrait

from tests.integration.identity.objects import post
from tests.support import request_id

ADA = Profile(
    name="Ada Quixley",
    date_of_birth=Date(year=1990, month=12, day=10),
    gender=GENDER_WOMAN,
    city="London",
    bio="I count things.",
    time_zone="Europe/London",
)
HOBBIES = (
    Hobby(hobby_option_id="chess", micro_description="the slow kind"),
    Hobby(hobby_option_id="hiking", micro_description="early, uphill, alone"),
)


@dataclass(frozen=True)
class Signed:
    """Someone signed in."""

    member: Caller
    tokens: SessionTokens
    created: bool

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return self.member.metadata


class People:
    """The calls that tests make again and again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.accounts = world.stub(AccountServiceStub, "identity")
        self.profiles = world.stub(ProfileServiceStub, "identity")

    @property
    def resources(self) -> Resources:
        """What the service in this world works with."""
        resources: Resources = self.world.apps["identity"].runtime.resources
        return resources

    @staticmethod
    def number() -> str:
        """A number that nobody has had."""
        return f"+49151{random.randrange(10**8):08d}"

    async def start(self, number: str, request: str = "") -> StartPhoneVerificationResponse:
        asked = StartPhoneVerificationRequest(request_id=request or request_id(), phone_number=number)
        return await self.accounts.StartPhoneVerification(asked)

    def codes(self, number: str) -> list[str]:
        """The codes that a number was sent, in order."""
        lines = [json.loads(line) for line in self.world.sms.read_text().splitlines()]
        return [line["code"] for line in lines if line["to"] == number.replace(" ", "")]

    async def verify(self, challenge: str, code: str, request: str = "") -> VerifyPhoneResponse:
        given = VerifyPhoneRequest(request_id=request or request_id(), challenge_id=challenge, code=code)
        return await self.accounts.VerifyPhone(given)

    async def sign_in(self, number: str = "") -> Signed:
        number = number or self.number()
        challenge = await self.start(number)
        done = await self.verify(challenge.challenge_id, self.codes(number)[-1])
        return Signed(Caller(UUID(done.user_id), done.tokens.access_token), done.tokens, done.created)

    async def refresh(self, token: str, request: str = "") -> RefreshSessionResponse:
        asked = RefreshSessionRequest(request_id=request or request_id(), refresh_token=token)
        return await self.accounts.RefreshSession(asked)

    async def tell(self, who: Signed, profile: Profile = ADA, *fields: str) -> Profile:
        """Updates these fields of the profile, or all."""
        asked = UpdateProfileRequest(
            request_id=request_id(), profile=profile, update_mask=FieldMask(paths=fields or ["*"])
        )
        return (await self.profiles.UpdateProfile(asked, metadata=who.metadata)).profile

    async def choose(self, who: Signed, *hobbies: Hobby) -> None:
        asked = SetHobbiesRequest(request_id=request_id(), hobbies=hobbies or HOBBIES)
        await self.profiles.SetHobbies(asked, metadata=who.metadata)

    async def offer(self, who: Signed, request: str = "") -> CreatePhotoUploadResponse:
        asked = CreatePhotoUploadRequest(request_id=request or request_id(), content_type="image/jpeg")
        return await self.profiles.CreatePhotoUpload(asked, metadata=who.metadata)

    async def upload(self, who: Signed, picture: bytes) -> str:
        """Posts a picture; returns the id of the photo that it can become."""
        offered = await self.offer(who)
        assert await post(offered.url, offered.form_fields, picture) in (200, 204)
        return offered.photo_id

    async def complete(self, who: Signed, photo: str, request: str = "") -> Photo:
        asked = CompletePhotoUploadRequest(request_id=request or request_id(), photo_id=photo)
        return (await self.profiles.CompletePhotoUpload(asked, metadata=who.metadata)).photo

    async def add_photo(self, who: Signed, shot: int = 0) -> Photo:
        return await self.complete(who, await self.upload(who, portrait(0, shot)))

    async def ready(self, profile: Profile = ADA) -> Signed:
        """Someone with all that Discovery asks for."""
        who = await self.sign_in()
        await self.tell(who, profile)
        await self.choose(who)
        for shot in range(3):
            await self.add_photo(who, shot)
        return who

    async def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows as they stand, whatever the service says."""
        condition = " AND ".join(f"{name} = ${number}" for number, name in enumerate(where, start=1))
        found = await self.world.superuser.fetch(f"SELECT * FROM identity.{table} WHERE {condition}", *where.values())
        return [dict(row) for row in found]


async def apply(world: World, event: Message) -> None:
    """Lets identity alone hear of an event: the others would wait for all that comes before such an event."""
    app = world.apps["identity"]
    (consumer,) = (each for each in app.consumers if each.consumes.event is type(event))
    async with app.database.transaction() as tx:
        await consumer._method(event, tx)


def born(day: date) -> Profile:
    """Ada, born on another day."""
    profile = Profile()
    profile.CopyFrom(ADA)
    profile.date_of_birth.CopyFrom(Date(year=day.year, month=day.month, day=day.day))
    return profile
