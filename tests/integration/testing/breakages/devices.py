"""Devices that get push messages."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import SUSPENDED

BREAKAGES = (
    Breakage(
        "devices-of-living-sessions",
        (
            f"""
            INSERT INTO identity.push_devices (id, session_id, platform, token_hash, token_sealed, registered_at)
            SELECT gen_random_uuid(), id, 'fcm', sha256('left behind'), '', clock_timestamp() FROM identity.sessions
            WHERE user_id = {SUSPENDED} AND revoked_at IS NOT NULL LIMIT 1
            """,
        ),
    ),
)
