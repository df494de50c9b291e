"""ID-10: what safety keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from typing import Final

from unora_common.member_export import Section

# Whom a block or a report is about is said as the member said it: by a card or a connection. Not which case it belongs
# to, nor what was decided (SA-03). A note as long as its author is shown it (SA-10).
SECTIONS: Final = (
    Section(
        "blocks",
        """
        SELECT blocked_at AS place_at, id::text AS place_key, id AS block_id, target_kind, target_id, blocked_at,
            deleted_at AS lifted_at
        FROM safety.blocks WHERE blocker_id = $1""",
    ),
    Section(
        "reports",
        """
        SELECT r.reported_at AS place_at, r.id::text AS place_key, r.id AS report_id, r.target_kind, r.target_id,
            r.category, coalesce(n.note, '') AS note, r.reported_at
        FROM safety.reports r LEFT JOIN safety.own_notes n ON n.report_id = r.id
        WHERE r.reporter_id = $1 AND r.deleted_at IS NULL""",
    ),
    Section(
        "appeals",
        """
        SELECT submitted_at AS place_at, id::text AS place_key, id AS appeal_id, text, submitted_at
        FROM safety.appeals WHERE user_id = $1 AND deleted_at IS NULL""",
    ),
)
