"""ID-10: what streak keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from typing import Final

from unora_common.member_export import Section

# The streaks first: check-ins, breaks and nudges are found through them, by an index.
_STREAKS: Final = "(SELECT id FROM streak.streaks WHERE user_a_id = $1 OR user_b_id = $1)"
SECTIONS: Final = (
    Section(
        "streaks",
        """
        SELECT started_at AS place_at, id::text AS place_key, id AS streak_id, connection_id, server_type,
            streak_state AS state, cycle, completed_days, zone AS time_zone, started_at, ended_at
        FROM streak.streaks WHERE (user_a_id = $1 OR user_b_id = $1) AND deleted_at IS NULL""",
    ),
    Section(
        "check_ins",
        f"""
        SELECT check_in_at AS place_at, id::text AS place_key, id AS check_in_id, streak_id, cycle, day,
            check_in_date, check_in_at, effort_signal
        FROM streak.check_ins WHERE streak_id IN {_STREAKS} AND user_id = $1""",
    ),
    Section(
        "missed_days",
        f"""
        SELECT opened_at AS place_at, id::text AS place_key, streak_id, cycle, day, check_in_date,
            opened_at AS at_risk_at, broke_at, closed_at, outcome
        FROM streak.breaks WHERE streak_id IN {_STREAKS} AND missing_user_id = $1""",
    ),
    Section(
        "recoveries",
        f"""
        SELECT r.recovered_at AS place_at, r.id::text AS place_key, b.streak_id, b.check_in_date, r.payment_id,
            r.recovered_at
        FROM streak.breaks b JOIN streak.recovery_payments r ON r.break_id = b.id
        WHERE b.streak_id IN {_STREAKS} AND b.missing_user_id = $1""",
    ),
    Section(
        "nudges",
        f"""
        SELECT n.sent_at AS place_at, n.id::text AS place_key, n.id AS nudge_id, n.streak_id, b.check_in_date,
            n.payment_id, n.sent_at
        FROM streak.breaks b JOIN streak.nudges n ON n.break_id = b.id
        WHERE b.streak_id IN {_STREAKS} AND n.sender_id = $1""",
    ),
)
