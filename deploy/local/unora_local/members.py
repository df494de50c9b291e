"""Invented people become members as an app's users do: a number, a profile, hobbies, photographs.

Libraries that only some of it needs are imported there: each command at the keyboard loads this module.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from unora.discovery.v1.discovery_service_pb2 import Batch, Card
from unora.identity.v1.account_service_pb2 import StartPhoneVerificationRequest, VerifyPhoneRequest
from unora.identity.v1.place_service_pb2 import SearchPlacesRequest
from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CreatePhotoUploadRequest,
    Hobby,
    HobbyOption,
    Photo,
    SetHobbiesRequest,
    UpdateProfileRequest,
)

from unora_local import objects
from unora_local.cast import Person
from unora_local.client import Gateway, Refused, Session, Unexpected, request_id
from unora_local.mistakes import Mistake
from unora_local.sms_box import SmsBox

RANDOM: Final = secrets.SystemRandom()
SHOTS: Final = 3
"""Photos of a person."""
TRIES: Final = 50
FIELDS: Final = ("name", "date_of_birth", "gender", "place_id", "bio", "occupation", "time_zone")
MICRO_DESCRIPTIONS: Final = (
    "{} before anyone else is up",
    "learning {} the slow way",
    "{} whenever it rains",
    "still a beginner at {}, and happy so",
    "{}, and tea afterwards",
    "years of {}, never in a hurry",
    "{} with the radio on",
)


def invented_number() -> str:
    """A number that North America reserves for fiction: 555-0100 to 555-0199 of any area whose numbers get texts."""
    import phonenumbers

    while True:
        number = f"+1{RANDOM.randint(201, 989)}55501{RANDOM.randint(0, 99):02}"
        kind = phonenumbers.number_type(phonenumbers.parse(number))
        if kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE:
            return number


async def ask_for_code(gateway: Gateway, number: str) -> str:
    """Have a code sent to a number; the challenge that it answers."""
    asked = StartPhoneVerificationRequest(request_id=request_id(), phone_number=number)
    return (await gateway.call(gateway.accounts.StartPhoneVerification, asked)).challenge_id


async def sign_up(gateway: Gateway, box: SmsBox) -> Session:
    """Ask for a code and send it back (ID-02); with another number if a member of an earlier run has this one."""
    for _ in range(TRIES):
        number = invented_number()
        challenge = await ask_for_code(gateway, number)
        given = VerifyPhoneRequest(request_id=request_id(), challenge_id=challenge, code=box.code(number))
        try:
            answer = await gateway.call(gateway.accounts.VerifyPhone, given)
        except Refused as error:
            if error.reason != "BIRTH_DATE_NEEDED":  # ID-13: a member of long ago, or one who closed the account
                raise
        else:
            if answer.created:
                return Session(gateway, answer.user_id, answer.tokens, number)
    raise Unexpected(f"{TRIES} numbers in a row have an account already")


async def sign_in(gateway: Gateway, box: SmsBox, session: Session, totp_code: str = "") -> Session:
    """A new session of a member: the same flow, the same number (ID-02); of an admin with a second factor (ID-15)."""
    challenge = await ask_for_code(gateway, session.number)
    code = box.code(session.number)
    given = VerifyPhoneRequest(request_id=request_id(), challenge_id=challenge, code=code, totp_code=totp_code)
    answer = await gateway.call(gateway.accounts.VerifyPhone, given)
    return Session(gateway, answer.user_id, answer.tokens, session.number)


def hobbies(options: Sequence[HobbyOption], number: int) -> list[Hobby]:
    """These hobbies, each with what one of PEOPLE, by their number, says of it."""
    return [
        Hobby(
            hobby_option_id=option.hobby_option_id,
            micro_description=MICRO_DESCRIPTIONS[(number + at) % len(MICRO_DESCRIPTIONS)].format(option.name.lower()),
        )
        for at, option in enumerate(options)
    ]


async def describe(session: Session, person: Person) -> None:
    """Fill in the profile, with the first place that is found for the city (PR-11)."""
    found = await session.call(session.gateway.places.SearchPlaces, SearchPlacesRequest(query=person.city, limit=1))
    if [place.name for place in found.places] != [person.city]:
        raise Unexpected(f"a search for {person.city} found {found}")
    request = UpdateProfileRequest(
        request_id=request_id(), profile=person.profile(found.places[0]), update_mask=FieldMask(paths=FIELDS)
    )
    await session.call(session.gateway.profiles.UpdateProfile, request)


async def choose(session: Session, hobbies: Sequence[Hobby]) -> None:
    """Set the hobbies."""
    await session.call(session.gateway.profiles.SetHobbies, SetHobbiesRequest(request_id=request_id(), hobbies=hobbies))


async def upload(session: Session, picture: bytes) -> Photo:
    """Upload one photo: get a form from identity, post the bytes to the object store, complete the upload (PR-02)."""
    profiles = session.gateway.profiles
    offer = await session.call(
        profiles.CreatePhotoUpload, CreatePhotoUploadRequest(request_id=request_id(), content_type="image/jpeg")
    )
    await objects.post(offer.url, offer.form_fields, picture)
    done = await session.call(
        profiles.CompletePhotoUpload, CompletePhotoUploadRequest(request_id=request_id(), photo_id=offer.photo_id)
    )
    return done.photo


async def photographs(number: int) -> list[bytes]:
    """The photos of one of PEOPLE, made in a thread: OpenCV takes a while."""
    return await asyncio.to_thread(lambda: [_portrait(number, shot) for shot in range(SHOTS)])


def write_photographs(into: Path, number: int) -> list[Path]:
    """The same as files in a folder, which is made if it is not there. Raises Mistake if that cannot be."""
    files = [into / f"photo-{at}.jpg" for at in range(1, SHOTS + 1)]
    try:
        into.mkdir(parents=True, exist_ok=True)
        for shot, file in enumerate(files):
            file.write_bytes(_portrait(number, shot))
    except OSError as error:
        raise Mistake(f"the photos cannot be written: {error}") from None
    return files


def _portrait(number: int, shot: int) -> bytes:
    from unora_local.photos.portraits import portrait  # OpenCV takes longer to load than all that most commands need

    return portrait(number, shot)


def card_of(batch: Batch, hobbies: Sequence[Hobby]) -> Card | None:
    """The card of who has these hobbies, recognised by the member's own words, because a card has no user id."""
    words = {(hobby.hobby_option_id, hobby.micro_description) for hobby in hobbies}
    for card in batch.cards:
        if {(hobby.hobby_option_id, hobby.micro_description) for hobby in card.hobbies} == words:
            return card
    return None
