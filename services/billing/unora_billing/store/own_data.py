"""ID-10: what billing keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from typing import Final

from unora_common.member_export import Section

SECTIONS: Final = (
    Section(
        "wallet",
        """
        SELECT 'epoch'::timestamptz AS place_at, '' AS place_key, tier, balance AS credit_balance
        FROM billing.accounts WHERE user_id = $1""",
    ),
    Section(
        "subscriptions",
        """
        SELECT started_at AS place_at, id::text AS place_key, id AS subscription_id, tier, status, started_at,
            current_period_starts_at, current_period_ends_at, ended_at
        FROM billing.subscriptions
        WHERE user_id = $1""",
    ),
    Section(
        "payments",
        """
        SELECT created_at AS place_at, id::text AS place_key, id AS payment_id, purpose, method, status, failure,
            amount, currency, streak_id, connection_id, reveal_number, plan, created_at, succeeded_at
        FROM billing.payments WHERE payer_id = $1""",
    ),
    # What a bank only suspects is no movement of money, and one of the things that flags come from (SA-02).
    Section(
        "payment_reversals",
        """
        SELECT r.recorded_at AS place_at, r.id::text AS place_key, r.payment_id, r.kind, r.amount, r.credits,
            r.recorded_at
        FROM billing.payments p JOIN billing.payment_reversals r ON r.payment_id = p.id
        WHERE p.payer_id = $1
            AND r.kind IN ('refunded', 'refund_failed', 'dispute_opened', 'dispute_won', 'dispute_lost')""",
    ),
    Section(
        "credits",
        """
        SELECT created_at AS place_at, id::text AS place_key, id AS entry_id, kind, amount, payment_id, created_at
        FROM billing.credits WHERE user_id = $1""",
    ),
    Section(
        "credit_protections",
        """
        SELECT c.opened_at AS place_at, c.id::text AS place_key, c.payment_id, c.connection_id, c.status, c.opened_at,
            c.expires_at, c.closed_at
        FROM billing.payments p JOIN billing.credit_protections c ON c.payment_id = p.id
        WHERE p.payer_id = $1""",
    ),
)
