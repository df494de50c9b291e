"""What other contexts learn of a member."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from unora.identity.v1 import (
    directory_service_pb2,
)
from unora_common.messages import AGE_BANDS, to_timestamp

from unora_identity.domain.card import Card
from unora_identity.domain.hobbies import Hobby, as_shown
from unora_identity.domain.photos import Photo, PhotoSize
from unora_identity.messages.profiles import GENDERS


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
