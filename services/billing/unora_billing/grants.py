"""What the role of the service may do with each table (`unora_common/grants.py`)."""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "accounts": "select, insert, update",
        "connection_endings": "select, insert, update",
        "credit_protections": "select, insert, update",
        "credits": "select, insert",
        "free_recovery_allowances": "select, insert, update",
        "payment_mismatches": "select, insert, update",
        "payment_reversals": "select, insert",
        "payments": "select, insert, update",
        "provider_events": "select, insert",
        "subscriptions": "select, insert, update",
    },
)
