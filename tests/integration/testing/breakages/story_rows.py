"""Rows of the story that a breakage is about, and damage that several breakages share, as SQL."""

from __future__ import annotations

COMPLETED = "(SELECT id FROM streak.streaks WHERE streak_state = 'completed')"
WINDOW = "(SELECT id FROM streak.streaks WHERE streak_state = 'payment_window')"
MATCHED = "(SELECT connection_id FROM streak.streaks WHERE streak_state = 'completed')"
CONNECTED = f"(SELECT user_a_id FROM matching.connections WHERE id = {MATCHED})"
PARTNER = f"(SELECT user_b_id FROM matching.connections WHERE id = {MATCHED})"
ALONE = """
    (SELECT user_id FROM matching.inventory
     WHERE active_connection_count = 0 AND NOT closed AND user_id NOT IN (SELECT user_id FROM safety.restrictions)
        AND user_id NOT IN (SELECT blocker_id FROM safety.blocks)
     ORDER BY user_id LIMIT 1)"""
BATCH = "(SELECT id FROM discovery.discovery_batches WHERE deleted_at IS NULL ORDER BY id LIMIT 1)"
REPLACED = "(SELECT id FROM discovery.discovery_batches WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1)"

SUBSCRIPTION = "(SELECT id FROM billing.subscriptions WHERE status <> 'ended' AND tier = 'pro')"
SUBSCRIBER = "(SELECT user_id FROM billing.subscriptions WHERE status <> 'ended' AND tier = 'pro')"
FORMER_SUBSCRIBER = "(SELECT user_id FROM billing.subscriptions WHERE status = 'ended')"
RECOVERY = """
    (SELECT id FROM billing.payments
     WHERE purpose = 'recovery' AND method = 'money' AND status = 'applied' ORDER BY id LIMIT 1)"""
REFUNDED = "(SELECT payment_id FROM billing.payment_reversals WHERE kind = 'refunded')"
REJECTED = "(SELECT payment_id FROM billing.credits WHERE kind = 'compensation')"
NUDGE = "(SELECT id FROM billing.payments WHERE purpose = 'nudge' AND status = 'applied')"
REVEAL = "(SELECT id FROM billing.payments WHERE purpose = 'reveal' AND status = 'applied' AND method = '{method}')"
BY_MONEY, BY_CREDITS = REVEAL.format(method="money"), REVEAL.format(method="credits")
CONVERTED = "(SELECT connection_id FROM billing.credit_protections WHERE status = 'converted')"

BLOCKER, BLOCKED = "(SELECT blocker_id FROM safety.blocks)", "(SELECT blocked_id FROM safety.blocks)"
SUSPENDED = "(SELECT user_id FROM safety.restrictions WHERE suspended)"
CLOSED = "(SELECT id FROM identity.users WHERE closed_at IS NOT NULL ORDER BY id LIMIT 1)"
REDUCED = "(SELECT user_id FROM safety.restrictions WHERE reduced_visibility)"


def partner_of(user: str) -> str:
    """The partner of a member with one connection."""
    return f"""
        (SELECT CASE {user} WHEN user_a_id THEN user_b_id ELSE user_a_id END FROM matching.connections
         WHERE connection_status = 'active' AND {user} IN (user_a_id, user_b_id))"""


def slots(user: str, change: str) -> tuple[str, ...]:
    """The same change where matching counts slots and where the others follow it."""
    return (
        f"UPDATE identity.users SET {change} WHERE id = {user}",
        f"UPDATE discovery.candidates SET {change} WHERE user_id = {user}",
        f"UPDATE matching.inventory SET {change} WHERE user_id = {user}",
    )


def interest(sender: str, receiver: str, days_ago: int = 0) -> str:
    """A pending interest."""
    return f"""
        INSERT INTO matching.interests (
            id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version)
        VALUES (gen_random_uuid(), {sender}, {receiver}, 'friend', gen_random_uuid(), 'pending', 'pending',
            clock.now() - interval '{days_ago} days', 1)"""


def payload(context: str, which: str, change: str) -> tuple[str, ...]:
    """The same change of an event where it is emitted and where it is audited."""
    return (
        f"UPDATE safety.audit_logs SET payload = {change} WHERE {which}",
        f"UPDATE {context}.outbox SET payload = {change} WHERE {which}",
    )
