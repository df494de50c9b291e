"""What the role of the service may do with each table (`unora_common/grants.py`)."""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "breaks": "select, insert, update",
        "check_ins": "select, insert",
        "closed_payments": "select, insert, update",
        "nudges": "select, insert",
        "recovery_holds": "select, insert, update",
        "recovery_payments": "select, insert",
        "streaks": "select, insert, update",
        "tiers": "select, insert, update",
    },
)
