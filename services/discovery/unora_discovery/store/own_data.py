"""ID-10: what discovery keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from typing import Final

from unora_common.member_export import Section

SECTIONS: Final = (
    Section(
        "server_memberships",
        """
        SELECT joined_at AS place_at, server_type AS place_key, server_type, joined_at, left_at
        FROM discovery.server_memberships WHERE user_id = $1""",
    ),
    Section(
        "refresh_timer",
        """
        SELECT last_global_refresh_at AS place_at, '' AS place_key, last_global_refresh_at, refresh_available_at
        FROM discovery.refresh_timers WHERE user_id = $1 AND last_global_refresh_at IS NOT NULL""",
    ),
    Section(
        "filters",
        """
        SELECT updated_at AS place_at, server_type AS place_key,
            server_type, genders, age_bands, min_age, max_age, same_city_only, updated_at
        FROM discovery.filters WHERE user_id = $1 AND deleted_at IS NULL""",
    ),
    # What cards show is about others: their ids only, by which interests, blocks and reports name them.
    Section(
        "batches",
        """
        SELECT b.created_at AS place_at, b.id::text AS place_key, b.server_type, b.created_at,
            b.deleted_at AS replaced_at,
            ARRAY(SELECT c.id FROM discovery.discovery_cards c WHERE c.batch_id = b.id ORDER BY c.position) AS card_ids
        FROM discovery.discovery_batches b WHERE b.user_id = $1""",
    ),
)
