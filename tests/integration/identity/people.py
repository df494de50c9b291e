"""Members whose apps call through gRPC, with codes read from the sandbox of text messages."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
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
from unora.identity.v1.place_service_pb2_grpc import PlaceServiceStub
from unora.identity.v1.profile_service_pb2 import (
    GENDER_WOMAN,
    CompletePhotoUploadRequest,
    CreatePhotoUploadRequest,
    CreatePhotoUploadResponse,
    DeletePhotoRequest,
    Hobby,
    Photo,
    Profile,
    SetHobbiesRequest,
    UpdateProfileRequest,
)
from unora.identity.v1.profile_service_pb2_grpc import ProfileServiceStub
from unora_common.app import App
from unora_common.client_network import HEADER
from unora_identity.resources import Resources
from unora_local.photos.portraits import landscape, portrait
from unora_testing.places import LONDON
from unora_testing.world import Caller, World

from tests.integration.identity.objects import post
from tests.support import request_id

NUMBERS = count(random.randrange(10**8), 39_916_801)
"""No number comes twice in a run, and the next one does not look like the last."""
ADA = Profile(
    name="Ada Quixley",
    date_of_birth=Date(year=1990, month=12, day=10),
    gender=GENDER_WOMAN,
    place_id=LONDON,
    city="London",
    country="GB",
    bio="I count things.",
    time_zone="Europe/London",
)
HOBBIES = (
    Hobby(hobby_option_id="chess", micro_description="the slow kind"),
    Hobby(hobby_option_id="hiking", micro_description="early, uphill, alone"),
)


@dataclass(frozen=True)
class Signed:
    """A member who has signed in."""

    member: Caller
    tokens: SessionTokens
    created: bool

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return self.member.metadata


def picture(number: int) -> bytes:
    """Eight pictures that are not the same: 0 to 5 show a face."""
    return portrait(number // 3, number % 3) if number < 6 else landscape(number)


class People:
    """The calls that tests make often."""

    def __init__(
        self,
        world: World,
        accounts: AccountServiceStub | None = None,
        app: App[Any, Any] | None = None,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        """`accounts`, `app` and `channel` are of another process than the world's."""
        self.world = world
        self.app = app or world.apps["identity"]
        self.channel = channel or world.channel("identity")
        self.accounts = accounts or world.stub(AccountServiceStub, "identity")
        self.places = world.stub(PlaceServiceStub, "identity")
        self.profiles = world.stub(ProfileServiceStub, "identity")

    @property
    def resources(self) -> Resources:
        """The resources of the process that is called."""
        resources: Resources = self.app.runtime.resources
        return resources

    @staticmethod
    def number() -> str:
        """A new phone number."""
        return f"+49151{next(NUMBERS) % 10**8:08d}"

    async def start(
        self, number: str, request: str = "", device: str = "", address: str = ""
    ) -> StartPhoneVerificationResponse:
        asked = StartPhoneVerificationRequest(request_id=request or request_id(), phone_number=number, device_id=device)
        metadata = ((HEADER, address),) if address else ()
        return await self.accounts.StartPhoneVerification(asked, metadata=metadata)

    def codes(self, number: str) -> list[str]:
        """The codes that a number was sent, in order."""
        lines = [json.loads(line) for line in self.world.sms.read_text().splitlines()]
        return [line["code"] for line in lines if line["to"] == number.replace(" ", "")]

    async def verify(
        self, challenge: str, code: str, request: str = "", device: str = "", totp: str = "", born: Date | None = None
    ) -> VerifyPhoneResponse:
        given = VerifyPhoneRequest(
            request_id=request or request_id(),
            challenge_id=challenge,
            code=code,
            device_id=device,
            totp_code=totp,
            birth_date=born,
        )
        return await self.accounts.VerifyPhone(given)

    async def sign_in(self, number: str = "", device: str = "", address: str = "", totp: str = "") -> Signed:
        number = number or self.number()
        return await self.sign_in_by(number, number, device=device, address=address, totp=totp)

    async def sign_in_by(self, form: str, number: str, device: str = "", address: str = "", totp: str = "") -> Signed:
        """Signs in by one form of a number, whose codes are sent to `number`."""
        challenge = await self.start(form, device=device, address=address)
        done = await self.verify(challenge.challenge_id, self.codes(number)[-1], device=device, totp=totp)
        return Signed(Caller(UUID(done.user_id), done.tokens.access_token), done.tokens, done.created)

    async def refresh(self, token: str, request: str = "") -> RefreshSessionResponse:
        asked = RefreshSessionRequest(request_id=request or request_id(), refresh_token=token)
        return await self.accounts.RefreshSession(asked)

    async def age(self, signed: Signed, minutes: float) -> None:
        """Makes the sessions of a member this much older: they go by the machine's clock, which a test cannot move."""
        await self.world.superuser.execute(
            """UPDATE identity.sessions SET started_at = started_at - $2 * interval '1 minute',
                   admin_until = admin_until - $2 * interval '1 minute' WHERE user_id = $1""",
            signed.member.user,
            minutes,
        )

    async def leave_unused(self, signed: Signed, days: float = 47) -> None:
        """Makes it so long ago that a session of the member was refreshed: by the machine's clock, as above."""
        await self.world.superuser.execute(
            "UPDATE identity.users SET last_used_at = last_used_at - $2 * interval '1 day' WHERE id = $1",
            signed.member.user,
            days,
        )

    async def update_profile(self, signed: Signed, profile: Profile = ADA, *fields: str) -> Profile:
        """Updates these fields of the profile, or all."""
        asked = UpdateProfileRequest(request_id=request_id(), profile=profile, update_mask=mask(*fields))
        return (await self.profiles.UpdateProfile(asked, metadata=signed.metadata)).profile

    async def set_hobbies(self, signed: Signed, *hobbies: Hobby) -> None:
        asked = SetHobbiesRequest(request_id=request_id(), hobbies=hobbies or HOBBIES)
        await self.profiles.SetHobbies(asked, metadata=signed.metadata)

    async def offer(self, signed: Signed, request: str = "") -> CreatePhotoUploadResponse:
        asked = CreatePhotoUploadRequest(request_id=request or request_id(), content_type="image/jpeg")
        return await self.profiles.CreatePhotoUpload(asked, metadata=signed.metadata)

    async def upload(self, signed: Signed, picture: bytes) -> str:
        """Posts a picture; returns the id of the photo that it can become."""
        offered = await self.offer(signed)
        assert await post(offered.url, offered.form_fields, picture) in (200, 204)
        return offered.photo_id

    async def complete(self, signed: Signed, photo: str, request: str = "") -> Photo:
        asked = CompletePhotoUploadRequest(request_id=request or request_id(), photo_id=photo)
        return (await self.profiles.CompletePhotoUpload(asked, metadata=signed.metadata)).photo

    async def delete(self, signed: Signed, photo: str, request: str = "") -> None:
        asked = DeletePhotoRequest(request_id=request or request_id(), photo_id=photo)
        await self.profiles.DeletePhoto(asked, metadata=signed.metadata)

    async def add_photo(self, signed: Signed, number: int = 0) -> Photo:
        return await self.complete(signed, await self.upload(signed, picture(number)))

    async def ready(self, profile: Profile = ADA, signed: Signed | None = None) -> Signed:
        """A discovery-ready member: a new one, or the one that is given."""
        signed = signed or await self.sign_in()
        await self.update_profile(signed, profile)
        await self.set_hobbies(signed)
        for shot in range(3):
            await self.add_photo(signed, shot)
        return signed

    async def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of the database, read past the service."""
        condition = " AND ".join(f"{name} = ${number}" for number, name in enumerate(where, start=1)) or "true"
        found = await self.world.superuser.fetch(f"SELECT * FROM identity.{table} WHERE {condition}", *where.values())
        return [dict(row) for row in found]


def mask(*fields: str) -> FieldMask:
    """These fields of a profile, or all."""
    return FieldMask(paths=fields or ["*"])


def lives(until: Timestamp, *, since: datetime, for_: timedelta) -> bool:
    """Whether what was made between `since` and now lives for so long; ends are in whole seconds, rounded down."""
    return since + for_ - timedelta(seconds=1) < until.ToDatetime(UTC) <= datetime.now(UTC) + for_


async def apply(world: World, event: Message) -> None:
    """Gives an event to identity alone: other contexts would wait for the events that come before it."""
    app = world.apps["identity"]
    (consumer,) = (each for each in app.consumers if each.consumes.event is type(event))
    async with app.database.transaction() as tx:
        await consumer._method([event] if consumer.consumes.many else event, tx)


def born(day: date) -> Profile:
    """Ada, born on another day."""
    profile = Profile()
    profile.CopyFrom(ADA)
    profile.date_of_birth.CopyFrom(Date(year=day.year, month=day.month, day=day.day))
    return profile
