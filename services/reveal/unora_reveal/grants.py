"""What the role of the service may do with each table (`unora_common/grants.py`)."""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "pairs": "select, insert, update",
        "personality_answers": "select, insert, update, delete",
        "personality_questions": "select",
        "personality_scores": "select, insert, update",
        "progressions": "select, insert, update",
        "purchases": "select, insert",
        "reveal_contents": "select, insert, update",
        "reveal_milestones": "select",
        "reveals": "select, insert, update",
        "tiers": "select, insert, update",
    },
    functions=("refuse", "require_for_sale"),
)
