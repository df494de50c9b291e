"""Devices that get push messages."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "devices-of-living-sessions",
        ("ID-17",),
        "a device that gets push messages belongs to a session that was not revoked, of a member who is not suspended",
        """
        SELECT d.id AS device_id, s.user_id FROM identity.push_devices d
        JOIN identity.sessions s ON s.id = d.session_id JOIN identity.users u ON u.id = s.user_id
        WHERE s.revoked_at IS NOT NULL OR u.suspended_at IS NOT NULL OR u.deleted_at IS NOT NULL
        """,
    ),
)
