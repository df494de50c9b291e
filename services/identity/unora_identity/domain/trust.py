"""ID-04: trust grows by levels. Each level needs all levels below it, except the last."""

from collections.abc import Sequence

from unora_identity.domain.photos import Photo, any_face
from unora_identity.domain.policy import Policy


def trust_level(photos: Sequence[Photo], streak_completed: bool, gov_id_verified: bool, policy: Policy) -> int:
    """1: phone verified. 2: at least three photos, one of them with a face. 3: the first three photos pass the quality
    check. 4: a completed streak. 5: a verified Gov ID.

    Level 1 is never missing: an account begins with its verified phone (ID-02). Level 5 needs 1 to 3, but not 4.
    """
    if len(photos) < policy.photos_least or not any_face(photos):
        return 1
    if not all(photo.quality_passed for photo in photos[: policy.photos_judged]):
        return 2
    if gov_id_verified:
        return 5
    return 4 if streak_completed else 3
