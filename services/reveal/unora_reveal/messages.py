"""Domain to proto and back."""

from __future__ import annotations

import datetime
from typing import TypeVar
from uuid import UUID

from unora.identity.v1.directory_service_pb2 import GetDisclosureResponse, GetRevealFactsResponse
from unora.reveal.v1.events_pb2 import (
    PersonalityChanged,
    PurchaseRejected,
    RevealEarned,
    RevealPurchased,
    RevealUnlocked,
)
from unora.reveal.v1.reveal_service_pb2 import FramedContent, IdentityContent, IdentityPhoto, Reveal, RevealStatus
from unora_common.messages import by_name, to_timestamp

from unora_reveal.domain.facts import Facts, Framed, Hobby
from unora_reveal.domain.reveals import Status

E = TypeVar("E", RevealEarned, RevealUnlocked)
STATUSES = by_name(RevealStatus)


def to_facts(response: GetRevealFactsResponse) -> Facts:
    """What identity tells of a member."""
    return Facts(
        hobbies=tuple(Hobby(hobby.hobby_option_id, hobby.name, hobby.micro_description) for hobby in response.hobbies),
        bio=response.bio,
        occupation=response.occupation,
        city=response.city,
        name_digests=frozenset(response.name_digests),
        name_salt=response.name_salt,
    )


def to_reveal(
    number: int,
    status: Status,
    unlocked_at: datetime.datetime | None,
    framed: Framed | None = None,
    *,
    for_sale: bool = False,
) -> Reveal:
    """A reveal as its member sees it; never the day it needs (RE-02)."""
    return Reveal(
        reveal_number=number,
        status=STATUSES[status],
        unlocked_at=to_timestamp(unlocked_at),
        framed=FramedContent(title=framed.title, text=framed.text) if framed else None,
        for_sale=for_sale,
    )


def to_identity(disclosure: GetDisclosureResponse) -> IdentityContent:
    """Who the other is, handed through."""
    photos = [
        IdentityPhoto(photo_id=photo.photo_id, url=photo.url, url_expires_at=photo.url_expires_at)
        for photo in disclosure.photos
    ]
    return IdentityContent(name=disclosure.name, photos=photos)


def to_event(
    kind: type[E], reveal_id: UUID, version: int, streak_id: UUID, user_id: UUID, number: int, at: datetime.datetime
) -> E:
    """What happened to a reveal: ids and numbers only (XX-01)."""
    return kind(
        reveal_id=str(reveal_id),
        version=version,
        streak_id=str(streak_id),
        user_id=str(user_id),
        reveal_number=number,
        occurred_at=to_timestamp(at),
    )


def to_verdict(
    payment_id: UUID,
    reveal_id: UUID,
    version: int,
    streak_id: UUID,
    user_id: UUID,
    number: int,
    at: datetime.datetime,
    *,
    given: bool,
) -> RevealPurchased | PurchaseRejected:
    """What became of a payment: the reveal was given, or the money is to become credits (BI-11)."""
    kind: type[RevealPurchased | PurchaseRejected] = RevealPurchased if given else PurchaseRejected
    return kind(
        reveal_id=str(reveal_id),
        version=version,
        streak_id=str(streak_id),
        user_id=str(user_id),
        reveal_number=number,
        payment_id=str(payment_id),
        occurred_at=to_timestamp(at),
    )


def to_personality_changed(user_id: UUID, version: int, answered: int, at: datetime.datetime) -> PersonalityChanged:
    """That a member answered or withdrew something; not what, and nothing that comes of it (PE-05)."""
    return PersonalityChanged(
        user_id=str(user_id), version=version, answered_count=answered, occurred_at=to_timestamp(at)
    )
