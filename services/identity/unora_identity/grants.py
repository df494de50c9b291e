"""What the role of the service may do with each table (`unora_common/grants.py`)."""

from __future__ import annotations

from unora_common.grants import MESSAGING, Grants

GRANTS = Grants(
    tables=MESSAGING
    | {
        "code_spending": "select, insert",
        "disclosures": "select, insert, update",
        "gov_id_checks": "select, insert, update",
        "hobbies": "select, insert, update (hidden), delete",
        "hobby_options": "select",
        "past_devices": "select, insert, update (seen_at), delete",
        "phone_challenges": "select, insert, update, delete",
        "photo_sizing": "select, insert, update",
        "photo_uploads": "select, insert, update, delete",
        "photos": "select, insert, update",
        "profiles": "select, insert, update",
        "refresh_tokens": "select, insert, update, delete",
        "revocations": "select, insert, update (revoked_at), delete",
        "roles": "select, insert, delete",
        "second_factors": "select, insert, update, delete",
        "sessions": "select, insert, update, delete",
        "text_checks": "select, insert, update",
        "users": "select, insert, update",
        "verification_signals": "select, insert, update",
        "written_cities": "select, insert, update, delete",
        # One column, since locking a row needs the right to change it.
        "wrong_codes": "select, insert, update (created_at), delete",
    },
)
