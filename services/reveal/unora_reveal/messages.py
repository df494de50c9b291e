"""Domain to proto and back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.identity.v1.directory_service_pb2 import (
    DisclosedPhoto,
    GetDisclosureResponse,
    GetPartnerNamesRequest,
    GetPartnerNamesResponse,
    GetRevealFactsResponse,
    PartnerToName,
)
from unora.reveal.v1 import events_pb2, personality_service_pb2, reveal_service_pb2
from unora.reveal.v1.projection_service_pb2 import RevealState
from unora_common.database import Row
from unora_common.messages import by_name, event_encoder, from_timestamp, to_timestamp

from unora_reveal.domain.facts import Facts, FramedText, Hobby, Identity, Photo
from unora_reveal.domain.personality import GivenAnswer, Question
from unora_reveal.domain.reveals import OpenedIdentity, PartnerName, RevealView

STATUSES = by_name(reveal_service_pb2.RevealStatus)
to_message = event_encoder(events_pb2)
"""A domain event as its message."""


def from_reveal_facts(response: GetRevealFactsResponse) -> Facts:
    """What identity knows of a member for the texts."""
    return Facts(
        hobbies=tuple(Hobby(hobby.hobby_option_id, hobby.name, hobby.micro_description) for hobby in response.hobbies),
        bio=response.bio,
        occupation=response.occupation,
        city=response.city,
        name_digests=frozenset(response.name_digests),
        name_salt=response.name_salt,
    )


def from_disclosure(response: GetDisclosureResponse) -> Identity:
    """The partner's name and photos."""
    return Identity(response.name, tuple(_from_disclosed_photo(photo) for photo in response.photos))


def _from_disclosed_photo(photo: DisclosedPhoto) -> Photo:
    """An identity service of an earlier version gives the link of the full size alone."""
    return Photo(
        id=UUID(photo.photo_id),
        url=photo.url,
        thumbnail_url=photo.thumbnail_url or photo.url,
        card_url=photo.card_url or photo.url,
        url_expires_at=from_timestamp(photo.url_expires_at),
    )


def to_names_request(viewer_id: UUID, opened: Sequence[OpenedIdentity]) -> GetPartnerNamesRequest:
    """Asks identity for the names of partners (RE-13)."""
    partners = [
        PartnerToName(
            streak_id=str(each.streak_id), subject_id=str(each.partner_id), photo_ids=map(str, each.photo_ids)
        )
        for each in opened
    ]
    return GetPartnerNamesRequest(viewer_id=str(viewer_id), partners=partners)


def from_disclosed_names(response: GetPartnerNamesResponse, opened: Sequence[OpenedIdentity]) -> list[PartnerName]:
    """The names that identity gives, in the order of the answer."""
    by_streak = {str(each.streak_id): each for each in opened}
    return [
        PartnerName(
            identity=by_streak[name.streak_id],
            first_name=name.first_name,
            thumbnail_url=name.thumbnail_url,
            url_expires_at=from_timestamp(name.url_expires_at) if name.HasField("url_expires_at") else None,
        )
        for name in response.names
    ]


def to_partner_name(name: PartnerName) -> reveal_service_pb2.PartnerName:
    """What lists show of a partner (RE-13)."""
    return reveal_service_pb2.PartnerName(
        streak_id=str(name.identity.streak_id),
        connection_id=str(name.identity.connection_id),
        first_name=name.first_name,
        thumbnail_url=name.thumbnail_url,
        url_expires_at=to_timestamp(name.url_expires_at),
    )


def to_reveal(view: RevealView) -> reveal_service_pb2.Reveal:
    """A reveal as its member sees it; never the day it needs (RE-02)."""
    return reveal_service_pb2.Reveal(
        reveal_number=view.reveal.number,
        status=STATUSES[view.reveal.status],
        unlocked_at=to_timestamp(view.reveal.unlocked_at),
        framed=to_framed(view.framed) if view.framed else None,
        for_sale=view.for_sale,
    )


def to_framed(framed: FramedText) -> reveal_service_pb2.FramedContent:
    """A text about the partner."""
    return reveal_service_pb2.FramedContent(title=framed.title, text=framed.text)


def to_identity(identity: Identity) -> reveal_service_pb2.IdentityContent:
    """The partner's name and photos, for this answer only (RE-04)."""
    photos = [
        reveal_service_pb2.IdentityPhoto(
            photo_id=str(photo.id),
            url=photo.url,
            thumbnail_url=photo.thumbnail_url,
            card_url=photo.card_url,
            url_expires_at=to_timestamp(photo.url_expires_at),
        )
        for photo in identity.photos
    ]
    return reveal_service_pb2.IdentityContent(name=identity.name, photos=photos)


def to_question(question: Question) -> personality_service_pb2.Question:
    """A question as members read it."""
    return personality_service_pb2.Question(question_id=question.id, wording=question.wording)


def to_given_answer(given: GivenAnswer) -> personality_service_pb2.GivenAnswer:
    """A member's own answer."""
    return personality_service_pb2.GivenAnswer(
        question_id=given.question_id, answer=given.answer, answered_at=to_timestamp(given.answered_at)
    )


def to_reveal_state(row: Row) -> RevealState:
    """Whether a reveal waits, for a projection."""
    return RevealState(
        streak_id=str(row["streak_id"]),
        user_id=str(row["user_id"]),
        reveal_number=row["reveal_number"],
        version=row["version"],
        waiting=row["waiting"],
    )
