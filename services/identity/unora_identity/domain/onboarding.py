"""PR-06: what a member still lacks for Discovery. PR-02: a member who is ready for Discovery stays ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from unora_common.errors import DomainError

from unora_identity.domain.hobbies import Hobby
from unora_identity.domain.photos import Photo, any_face
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Profile, is_complete, missing_fields


class OnboardingStep(StrEnum):
    """The steps that can be missing, in the order in which a client should ask for them."""

    PROFILE = "profile"
    PHOTOS = "photos"
    FACE_PHOTO = "face_photo"
    HOBBIES = "hobbies"


class ProfileIncomplete(DomainError):
    """PR-02, ID-06: a field of the profile is empty, or would be, and Discovery or the check of a Gov ID needs it."""

    reason = "PROFILE_INCOMPLETE"
    sentence = "Your profile is not complete without this. Fill it in."

    def __init__(self, fields: Sequence[str]) -> None:
        self.violations = {f"profile.{field}": "cannot be empty" for field in fields}
        super().__init__()


class TooFewHobbies(DomainError):
    """PR-02: a discovery-ready member may change hobbies, but not go below two."""

    reason = "TOO_FEW_HOBBIES"
    sentence = "You need at least two hobbies."


class TooFewPhotos(DomainError):
    """PR-02: a discovery-ready member may replace photos, but not go below three."""

    reason = "TOO_FEW_PHOTOS"
    sentence = "You need at least three photos. Replace this one instead."


class FacePhotoNeeded(DomainError):
    """PR-02: at least one photo of a discovery-ready member shows a face."""

    reason = "FACE_PHOTO_NEEDED"
    sentence = "At least one of your photos must show your face."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Everything that decides whether a member is ready. The phone is never missing: the account begins with it
    (ID-02).
    """

    profile: Profile
    photos: tuple[Photo, ...] = ()
    hobbies: tuple[Hobby, ...] = ()
    streak_completed: bool = False
    """ID-04: whether the member has ever completed a streak."""
    gov_id_verified: bool = False
    """ID-04, ID-07: if so, name, date of birth and gender are locked."""
    birth_date_refused: bool = False
    """ID-08: whether a date of birth was ever refused as under age."""
    away: bool = False
    """ID-09, ID-13, ID-16: paused, closed or hidden. Such a member is shown to nobody, and nothing else changes."""


def missing_steps(member: Member, now: datetime, policy: Policy) -> list[OnboardingStep]:
    """PR-06: all missing steps at once, so that the client can show them all. Empty means discovery-ready."""
    done = {
        OnboardingStep.PROFILE: is_complete(member.profile, now, policy),
        OnboardingStep.PHOTOS: len(member.photos) >= policy.photos_least,
        OnboardingStep.FACE_PHOTO: any_face(member.photos),
        OnboardingStep.HOBBIES: len(member.hobbies) >= policy.hobbies_least,
    }
    return [step for step, is_done in done.items() if not is_done]


def missing_parts(member: Member, now: datetime, policy: Policy) -> list[str]:
    """PR-06: the same down to the fields of the profile: `profile.name`, …, `photos`, `face_photo`, `hobbies`."""
    fields = [f"profile.{name}" for name in missing_fields(member.profile, now, policy)]
    return fields + [step for step in missing_steps(member, now, policy) if step != OnboardingStep.PROFILE]


def is_ready(member: Member, now: datetime, policy: Policy) -> bool:
    """PR-06: whether the member is discovery-ready."""
    return not missing_steps(member, now, policy)


def require_still_ready(before: Member, after: Member, now: datetime, policy: Policy) -> None:
    """PR-02: refuses a change that takes a ready member below a minimum. A member who is not ready may change
    everything.
    """
    missing = missing_steps(after, now, policy)
    if not missing or not is_ready(before, now, policy):
        return
    if OnboardingStep.PROFILE in missing:
        raise ProfileIncomplete(missing_fields(after.profile, now, policy))
    if OnboardingStep.PHOTOS in missing:
        raise TooFewPhotos(least=policy.photos_least)
    if OnboardingStep.FACE_PHOTO in missing:
        raise FacePhotoNeeded
    if OnboardingStep.HOBBIES in missing:
        raise TooFewHobbies(least=policy.hobbies_least)
