"""Photos and their objects."""

from typing import Final

from unora_identity.domain.policy import Policy

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "a-picture-once",
        ("PR-08",),
        "no two photos of a member show the same picture, except those uploaded before there were sizes (by their key)",
        f"""
        SELECT a.id AS photo_id, b.id AS repeated_by FROM identity.photos a
        JOIN identity.photos b ON b.user_id = a.user_id AND b.position > a.position AND b.deleted_at IS NULL
        WHERE a.deleted_at IS NULL AND a.object_key LIKE '%/full' AND b.object_key LIKE '%/full'
            AND bit_count((a.fingerprint # b.fingerprint)::bit(64)) <= {Policy().photo_repeat_bits}
        """,
    ),
    Invariant(
        "an-object-is-a-photos-or-an-uploads",
        ("PR-07", "PR-09"),
        "a photo has both other sizes or neither, and the clean-up of an upload never takes them",
        """
        SELECT p.id AS photo_id FROM identity.photos p
        WHERE p.deleted_at IS NULL AND p.thumbnail_key IS DISTINCT FROM p.object_key AND (
            (p.card_key IS NULL) <> (p.thumbnail_key IS NULL)
            OR EXISTS (SELECT FROM identity.photo_uploads u
                WHERE u.user_id = p.user_id AND u.object_keys && ARRAY[p.card_key, p.thumbnail_key]))
        """,
    ),
)
