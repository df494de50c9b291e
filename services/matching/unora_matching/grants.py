"""What the role of the service may do with each table (`unora_common/grants.py`)."""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "blocked_pairs": "select, insert, update",
        "connections": "select, insert, update",
        "interest_wipes": "insert",
        "interests": "select, insert, update",
        "inventory": "select, insert, update",
    },
)
