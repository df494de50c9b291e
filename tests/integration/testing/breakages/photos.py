"""Photos and their objects."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import ALONE

BREAKAGES = (
    Breakage(
        "a-picture-once",
        (
            f"""
            UPDATE identity.photos p SET fingerprint = f.fingerprint # 255
            FROM (SELECT fingerprint FROM identity.photos WHERE user_id = {ALONE} AND position = 1) f
            WHERE p.user_id = {ALONE} AND p.position = 2
            """,
        ),
    ),
    Breakage(
        "an-object-is-a-photos-or-an-uploads",
        (
            f"""
            UPDATE identity.photo_uploads u SET object_keys = u.object_keys || p.card_key
            FROM identity.photos p WHERE p.id = u.id AND p.user_id = {ALONE} AND p.position = 1
            """,
            f"UPDATE identity.photos SET card_key = NULL WHERE user_id = {ALONE} AND position = 2",
        ),
        rows=2,
    ),
)
