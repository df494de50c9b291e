"""What the role of the service may do with each table (`unora_common/grants.py`). Blocks and reports are never deleted:
an erasure will have a function of its own, as the audit log has.
"""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "activity": "select, insert, update, delete",
        "appeals": "select, insert",
        "audit_chain_heads": "select",
        "audit_head_exports": "select, insert",
        "audit_index": "select, insert",
        "audit_index_heads": "select, update",
        "audit_logs": "select, insert",
        "baselines": "select, insert, update",
        "blocked_pairs": "select, insert, update",
        "blocks": "select, insert, update",
        "cases": "select, insert, update",
        "device_accounts": "select, insert, update, delete",
        "flag_rules": "select",
        "reports": "select, insert",
        "restrictions": "select, insert, update",
        "safety_flags": "select, insert, update",
        "sightings": "select, insert, update, delete",
        "to_examine": "select, insert, update, delete",
    },
    functions=("open_audit_chain",),
)
