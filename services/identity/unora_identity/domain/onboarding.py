"""PR-06: what a member still lacks to take part in Discovery, and PR-02: who takes part cannot fall back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from unora_common.errors import DomainError

from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.photos import Photo, has_face
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Profile, is_complete


class Missing(StrEnum):
    """In the order in which a client should ask."""

    PROFILE = "profile"
    PHOTOS = "photos"
    FACE_PHOTO = "face_photo"
    HOBBIES = "hobbies"


class ProfileIncomplete(DomainError):
    """PR-02: a discovery-ready member may change a field that Discovery needs, not empty it."""

    reason = "PROFILE_INCOMPLETE"


class TooFewHobbies(DomainError):
    """PR-02: a discovery-ready member may change hobbies, not fall below two."""

    reason = "TOO_FEW_HOBBIES"


class TooFewPhotos(DomainError):
    """PR-02: a discovery-ready member may replace photos, not fall below three."""

    reason = "TOO_FEW_PHOTOS"


class FacePhotoNeeded(DomainError):
    """PR-02: of a discovery-ready member's photos one has a face."""

    reason = "FACE_PHOTO_NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """All that decides whether a member is ready. The phone is never missing: the account begins with it (ID-02)."""

    profile: Profile
    photos: tuple[Photo, ...] = ()
    hobbies: tuple[Hobby, ...] = ()
    streak_completed: bool = False
    """ID-04: whether the member has ever completed a streak."""
    gov_id_verified: bool = False
    """ID-04, ID-07: then name, date of birth and gender are locked."""


def missing(member: Member, now: datetime, policy: Policy) -> list[Missing]:
    """PR-06: everything at once, so that the client can show the whole way. Empty means discovery-ready."""
    checks = {
        Missing.PROFILE: is_complete(member.profile, now, policy),
        Missing.PHOTOS: len(member.photos) >= policy.photos_least,
        Missing.FACE_PHOTO: has_face(member.photos),
        Missing.HOBBIES: len(member.hobbies) >= policy.hobbies_least,
    }
    return [what for what, there in checks.items() if not there]


def is_ready(member: Member, now: datetime, policy: Policy) -> bool:
    """PR-06: discovery-ready."""
    return not missing(member, now, policy)


def stay_ready(before: Member, after: Member, now: datetime, policy: Policy) -> None:
    """PR-02: refuse a change that takes a ready member below a minimum. Who is not ready may change anything."""
    lacking = missing(after, now, policy)
    if not lacking or not is_ready(before, now, policy):
        return
    if Missing.PROFILE in lacking:
        raise ProfileIncomplete
    if Missing.PHOTOS in lacking:
        raise TooFewPhotos(least=policy.photos_least)
    if Missing.FACE_PHOTO in lacking:
        raise FacePhotoNeeded
    if Missing.HOBBIES in lacking:
        raise TooFewHobbies(least=policy.hobbies_least)
