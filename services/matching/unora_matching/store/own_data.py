"""ID-10: what matching keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from typing import Final

from unora_common.member_export import Section

from unora_matching.domain.connections import EndReason
from unora_matching.domain.events import EndCause

GIVEN_REASONS: Final = ",".join(reason for reason in EndReason if reason.cause is EndCause.MEMBER)
"""The reasons that a member can give."""

# Of endings only the reason that the member gave, never who ended it, or what else did (MA-09, SA-03).
# Of interests `shown_as` and never `closed_at`: to their sender a void one looks pending (MA-11).
SECTIONS: Final = (
    Section(
        "inventory",
        """
        SELECT 'epoch'::timestamptz AS place_at, '' AS place_key,
            tier, active_connection_count, connection_limit
        FROM matching.inventory WHERE user_id = $1""",
    ),
    Section(
        "connections",
        f"""
        SELECT formed_at AS place_at, id::text AS place_key, id AS connection_id, server_type,
            connection_status AS status, formed_at, ended_at, chat_unlocked_at,
            CASE WHEN ended_by_id = $1 AND end_reason = ANY ('{{{GIVEN_REASONS}}}') THEN end_reason END AS own_reason
        FROM matching.connections WHERE (user_a_id = $1 OR user_b_id = $1) AND deleted_at IS NULL""",
    ),
    Section(
        "interests",
        """
        SELECT sent_at AS place_at, id::text AS place_key, id AS interest_id, server_type, card_id,
            shown_as AS status, sent_at, connection_id
        FROM matching.interests WHERE sender_id = $1 AND deleted_at IS NULL""",
    ),
)
