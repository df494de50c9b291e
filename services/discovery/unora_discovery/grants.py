"""What the role of the service may do with each table (`unora_common/grants.py`)."""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "candidates": "select, insert, update",
        "discovery_batches": "select, insert, update, delete",
        "discovery_cards": "select, insert, update, delete",
        "exclusions": "select, insert, update",
        "filters": "select, insert, update",
        "member_blocks": "select, insert, update",
        "refresh_timers": "select, insert, update",
        "server_memberships": "select, insert, update",
        "servers": "select",
        "waiting_interests": "select, insert, update, delete",
    },
)
