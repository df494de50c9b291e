"""Domain types to messages of the contract, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from unora.identity.v1 import (
    account_service_pb2,
    device_service_pb2,
    directory_service_pb2,
    events_pb2,
    export_service_pb2,
    notification_directory_service_pb2,
    place_service_pb2,
    profile_service_pb2,
    verification_service_pb2,
)
from unora.identity.v1.projection_service_pb2 import AccountState
from unora_common.database import Row
from unora_common.errors import InvalidArgument
from unora_common.messages import AGE_BANDS, TIERS, by_name, event_encoder, from_timestamp, to_date, to_timestamp

from unora_identity.domain.accounts import Account
from unora_identity.domain.card import Card
from unora_identity.domain.exports import Export, ExportState
from unora_identity.domain.hobbies import Hobby, as_shown
from unora_identity.domain.notifications import (
    Category,
    Platform,
    PushDevice,
    Recipient,
    Settings,
    read_locale,
    read_quiet_hours,
)
from unora_identity.domain.photos import Photo, PhotoSize
from unora_identity.domain.places import CityNotChosen, Place
from unora_identity.domain.profiles import Gender, Profile
from unora_identity.domain.sessions import AccessToken, ActiveSession, RefreshToken
from unora_identity.domain.signals import Signal

to_message = event_encoder(events_pb2)
GENDERS: Final = by_name(profile_service_pb2.Gender)
GENDER_OF: Final = {number: Gender(name) for name, number in GENDERS.items()}
PLATFORMS: Final = by_name(device_service_pb2.PushPlatform)
PLATFORM_OF: Final = {number: Platform(name) for name, number in PLATFORMS.items()}
CATEGORIES: Final = by_name(device_service_pb2.NotificationCategory)
CATEGORY_OF: Final = {number: Category(name) for name, number in CATEGORIES.items()}
STEPS: Final = by_name(profile_service_pb2.OnboardingStep)
SIGNAL_TYPES: Final = by_name(verification_service_pb2.SignalType)
EXPORT_STATES: Final = by_name(export_service_pb2.ExportState)
OUTCOMES: Final = by_name(verification_service_pb2.SignalOutcome)
TEXT_FIELDS: Final = ("name", "place_id", "bio", "time_zone", "occupation")
PROFILE_FIELDS: Final = frozenset({*TEXT_FIELDS, "date_of_birth", "gender"})
PLACE_FIELDS: Final = ("city", "country")
"""Fields that follow from the place (PR-11)."""


def to_profile(profile: Profile) -> profile_service_pb2.Profile:
    """A profile as its owner sees it."""
    born = profile.date_of_birth
    return profile_service_pb2.Profile(
        name=profile.name,
        date_of_birth=to_date(born) if born else None,
        gender=GENDERS[profile.gender] if profile.gender else profile_service_pb2.GENDER_UNSPECIFIED,
        city=profile.shown_city,
        place_id=profile.place_id,
        country=profile.country,
        bio=profile.bio,
        time_zone=profile.time_zone,
        occupation=profile.occupation,
    )


def changed_profile(before: Profile, changes: profile_service_pb2.Profile, mask: FieldMask) -> Profile:
    """`before` with the fields that the mask names taken from `changes`. A field that is empty there is emptied.

    City and country are left to settle_place. Raises CityNotChosen if the mask names one of them (PR-11).
    """
    for field in PLACE_FIELDS:
        if field in mask.paths:
            raise CityNotChosen(field)
    fields = PROFILE_FIELDS if list(mask.paths) == ["*"] else frozenset(mask.paths)
    if not fields or not fields <= PROFILE_FIELDS:
        raise InvalidArgument({"update_mask": "names at least one field of a profile, or is *"})
    after = replace(before, **{name: getattr(changes, name) for name in fields.intersection(TEXT_FIELDS)})
    if "gender" in fields:
        after = replace(after, gender=GENDER_OF.get(changes.gender))
    if "date_of_birth" in fields:
        after = replace(after, date_of_birth=from_date("profile.date_of_birth", changes.date_of_birth))
    return after


def from_date(field: str, day: Date) -> date | None:
    """A calendar date in a field of a request; None if it is empty. Raises InvalidArgument."""
    if day == Date():
        return None
    try:
        return date(day.year, day.month, day.day)
    except ValueError:
        raise InvalidArgument({field: "is not a whole date of the calendar"}) from None


def to_place(place: Place) -> place_service_pb2.Place:
    """A place that a member can choose."""
    return place_service_pb2.Place(
        place_id=place.id,
        name=place.name,
        country=place.country,
        region=place.region,
        near=place.near,
        time_zone=place.time_zone,
    )


def to_photo(
    photo: Photo, position: int, links: Mapping[PhotoSize, str] = MappingProxyType({})
) -> profile_service_pb2.Photo:
    """A photo as its owner sees it, with or without its links."""
    return profile_service_pb2.Photo(
        photo_id=str(photo.id),
        position=position,
        has_face=photo.has_face,
        quality_passed=photo.quality_passed,
        width=photo.width,
        height=photo.height,
        url=links.get(PhotoSize.FULL, ""),
        card_url=links.get(PhotoSize.CARD, ""),
        thumbnail_url=links.get(PhotoSize.THUMBNAIL, ""),
    )


def to_disclosed_photo(
    photo: Photo, links: Mapping[PhotoSize, str], expires_at: datetime
) -> directory_service_pb2.DisclosedPhoto:
    """A photo as a partner sees it, with its links, which work until `expires_at`."""
    return directory_service_pb2.DisclosedPhoto(
        photo_id=str(photo.id),
        url=links[PhotoSize.FULL],
        card_url=links[PhotoSize.CARD],
        thumbnail_url=links[PhotoSize.THUMBNAIL],
        url_expires_at=to_timestamp(expires_at),
    )


def to_disclosed_name(
    streak_id: str, first_name: str, thumbnail_url: str, expires_at: datetime
) -> directory_service_pb2.DisclosedName:
    """What lists show of a partner (RE-13). The link, if there is one, works until `expires_at`."""
    return directory_service_pb2.DisclosedName(
        streak_id=streak_id,
        first_name=first_name,
        thumbnail_url=thumbnail_url,
        url_expires_at=to_timestamp(expires_at) if thumbnail_url else None,
    )


def to_hobby(hobby: Hobby) -> profile_service_pb2.Hobby:
    """A hobby as its owner sees it."""
    return profile_service_pb2.Hobby(
        hobby_option_id=hobby.option, micro_description=hobby.micro_description, hidden=hobby.hidden
    )


def to_hidden_options(hobbies: Iterable[Hobby]) -> list[str]:
    """PR-10: the options whose words are hidden."""
    return [hobby.option for hobby in hobbies if hobby.hidden]


def to_directory_hobby(hobby: Hobby, names: Mapping[str, str]) -> directory_service_pb2.DirectoryHobby:
    """A hobby with the name of its option, as others may see it (PR-10)."""
    hobby = as_shown(hobby)
    return directory_service_pb2.DirectoryHobby(
        hobby_option_id=hobby.option, name=names[hobby.option], micro_description=hobby.micro_description
    )


def to_discovery_profile(
    user: UUID, version: int, card: Card, names: Mapping[str, str]
) -> directory_service_pb2.DiscoveryProfile:
    """A card for Discovery's pool. If profile or hobbies are incomplete, it says only that, and the trust level. For a
    member who is away it has all contents: cards that were dealt before look as if nothing had happened (ID-16).
    """
    message = directory_service_pb2.DiscoveryProfile(
        user_id=str(user), version=version, trust_level=card.trust_level, discovery_ready=card.ready
    )
    contents = card.contents
    if contents:
        message.gender = GENDERS[contents.gender]
        message.age_band = AGE_BANDS[contents.age_band]
        message.city = contents.city
        message.place_id = contents.place_id
        message.hobbies.extend(to_directory_hobby(hobby, names) for hobby in contents.hobbies)
    return message


def to_account(account: Account, card: Card) -> account_service_pb2.Account:
    """An account as its owner sees it."""
    inventory = account.inventory
    return account_service_pb2.Account(
        user_id=str(account.id),
        created_at=to_timestamp(account.created_at),
        trust_level=card.trust_level,
        discovery_ready=card.ready,
        roles=account.roles,
        tier=TIERS[inventory.tier],
        active_connection_count=inventory.active_connection_count,
        connection_limit=inventory.connection_limit,
        last_global_refresh_at=to_timestamp(inventory.last_global_refresh_at),
        refresh_available_at=to_timestamp(inventory.refresh_available_at),
        suspended=account.suspended,
        paused_at=to_timestamp(account.paused_at),
    )


def to_session_tokens(
    access: AccessToken, refresh_text: str, refresh: RefreshToken
) -> account_service_pb2.SessionTokens:
    """The tokens of a session. This is the only time that the client gets the text of the refresh token."""
    return account_service_pb2.SessionTokens(
        access_token=access.text,
        access_expires_at=to_timestamp(access.expires_at),
        refresh_token=refresh_text,
        refresh_expires_at=to_timestamp(refresh.expires_at),
    )


def to_session(session: ActiveSession, current: UUID | None) -> account_service_pb2.Session:
    """A session as its member sees it. `current` is the session of the call."""
    return account_service_pb2.Session(
        session_id=str(session.id),
        started_at=to_timestamp(session.started_at),
        refreshed_at=to_timestamp(session.refreshed_at),
        current=session.id == current,
    )


def to_signal(signal: Signal) -> verification_service_pb2.Signal:
    """A signal as its member sees it, without the provider's token."""
    return verification_service_pb2.Signal(
        signal_id=str(signal.id),
        type=SIGNAL_TYPES[signal.signal_type],
        provider=signal.provider,
        outcome=OUTCOMES[signal.outcome],
        created_at=to_timestamp(signal.created_at),
        decided_at=to_timestamp(signal.decided_at),
    )


def to_push_device(device: PushDevice, current: UUID | None) -> device_service_pb2.Device:
    """A device as its member sees it, without the token. `current` is the session of the call."""
    return device_service_pb2.Device(
        device_id=str(device.id),
        platform=PLATFORMS[device.platform],
        locale=device.locale,
        registered_at=to_timestamp(device.registered_at),
        session_id=str(device.session_id),
        current=device.session_id == current,
    )


def to_settings(settings: Settings) -> device_service_pb2.NotificationSettings:
    """What a member wants to be told."""
    quiet = settings.quiet
    hours = device_service_pb2.QuietHours(begin=f"{quiet.begin:%H:%M}", end=f"{quiet.end:%H:%M}") if quiet else None
    muted = sorted(CATEGORIES[category] for category in settings.muted)
    return device_service_pb2.NotificationSettings(muted=muted, quiet_hours=hours, locale=settings.locale)


def from_settings(settings: device_service_pb2.NotificationSettings) -> Settings:
    """What a member wants to be told. Raises InvalidArgument for times and a locale that are none."""
    hours = settings.quiet_hours
    return Settings(
        muted=frozenset(CATEGORY_OF[category] for category in settings.muted),
        quiet=read_quiet_hours(hours.begin, hours.end) if settings.HasField("quiet_hours") else None,
        locale=read_locale("settings.locale", settings.locale),
    )


def to_recipient(recipient: Recipient) -> notification_directory_service_pb2.Recipient:
    """A member whom the notifier may tell something. This is the only message that holds push tokens."""
    return notification_directory_service_pb2.Recipient(
        user_id=str(recipient.user_id),
        not_before=to_timestamp(recipient.not_before),
        targets=[
            notification_directory_service_pb2.PushTarget(
                device_id=str(target.device.id),
                platform=PLATFORMS[target.device.platform],
                token=target.token,
                locale=target.locale,
                session_id=str(target.device.session_id),
            )
            for target in recipient.targets
        ],
    )


def time_or_none(present: bool, timestamp: Timestamp) -> datetime | None:
    """A time of a message, or None if the message has no such field set."""
    return from_timestamp(timestamp) if present else None


def to_export(export: Export) -> export_service_pb2.Export:
    """An export as its member sees it."""
    return export_service_pb2.Export(
        export_id=str(export.id),
        state=EXPORT_STATES[export.state],
        percent=export.percent,
        requested_at=to_timestamp(export.requested_at),
        ready_at=to_timestamp(export.ready_at),
        kept_until=to_timestamp(export.kept_until) if export.state is ExportState.READY else None,
        size=export.size,
    )


def to_account_state(row: Row) -> AccountState:
    """Whether a member is away, for a projection."""
    return AccountState(
        user_id=str(row["id"]),
        version=row["version"],
        paused_at=to_timestamp(row["paused_at"]),
        closed_at=to_timestamp(row["closed_at"]),
        hidden_at=to_timestamp(row["hidden_at"]),
    )
