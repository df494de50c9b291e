"""ID-04: trust is progressive. Each level needs all below it."""

from collections.abc import Sequence

from unora_identity.domain.photos import Photo, has_face
from unora_identity.domain.policy import Policy


def trust_level(photos: Sequence[Photo], streak_completed: bool, policy: Policy) -> int:
    """1 phone verified, 2 at least three photos with a face among them, 3 the first three pass quality, 4 a streak.

    Level 1 is never missing: an account begins with its verified phone (ID-02).
    """
    if len(photos) < policy.photos_least or not has_face(photos):
        return 1
    if not all(photo.quality_passed for photo in photos[: policy.photos_judged]):
        return 2
    return 4 if streak_completed else 3
