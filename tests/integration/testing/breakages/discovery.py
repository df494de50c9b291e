"""Batches, the pool, and the projections that the pool is made of."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import ALONE, BATCH, CONNECTED, REPLACED

BREAKAGES = (
    Breakage(
        "batch-of-five",
        (f"DELETE FROM discovery.discovery_cards WHERE batch_id = {BATCH} AND position = 3",),
    ),
    Breakage(
        "one-active-batch",
        (
            "DROP INDEX discovery.uq_discovery_batches_one_active",
            f"UPDATE discovery.discovery_cards SET deleted_at = NULL WHERE batch_id = {REPLACED}",
            f"UPDATE discovery.discovery_batches SET deleted_at = NULL WHERE id = {REPLACED}",
        ),
    ),
    Breakage(
        "cards-of-the-server",
        (
            f"""
            UPDATE discovery.discovery_cards k SET shown_user_id = b.user_id FROM discovery.discovery_batches b
            WHERE b.id = k.batch_id AND k.batch_id = {BATCH} AND k.position = 1
            """,
        ),
    ),
    Breakage("ready-means-complete", (f"UPDATE identity.profiles SET time_zone = '' WHERE user_id = {ALONE}",)),
    Breakage("pool-follows-places", (f"UPDATE discovery.candidates SET place_id = '1' WHERE user_id = {ALONE}",)),
    Breakage(
        "pool-follows-hobbies",
        (f"UPDATE identity.hobbies SET deleted_at = clock.now() WHERE user_id = {ALONE} AND position = 1",),
        also=("pool-follows-words",),
    ),
    Breakage(
        "pool-follows-words",
        (f"UPDATE identity.hobbies SET hidden = true WHERE user_id = {ALONE} AND position = 1",),
    ),
    Breakage(
        "pool-follows-slots",
        (f"UPDATE discovery.candidates SET active_connection_count = 0 WHERE user_id = {CONNECTED}",),
    ),
    Breakage(
        "account-follows-slots",
        (f"UPDATE identity.users SET active_connection_count = 0 WHERE id = {CONNECTED}",),
    ),
    Breakage(
        "account-follows-timer",
        (
            """
            UPDATE identity.users SET refresh_available_at = refresh_available_at + interval '1 hour'
            WHERE id = (SELECT user_id FROM discovery.refresh_timers
                WHERE refresh_available_at IS NOT NULL ORDER BY user_id LIMIT 1)
            """,
        ),
    ),
    Breakage(
        "timer-follows-tier",
        tuple(
            f"""
            UPDATE {table} SET refresh_available_at = refresh_available_at + interval '1 hour'
            WHERE {key} = (SELECT user_id FROM discovery.refresh_timers
                WHERE refresh_available_at IS NOT NULL ORDER BY user_id LIMIT 1)
            """
            for table, key in (("identity.users", "id"), ("discovery.refresh_timers", "user_id"))
        ),
    ),
    Breakage(
        "no-batch-after-leaving",
        (
            f"""
            UPDATE discovery.server_memberships m SET left_at = clock.now() FROM discovery.discovery_batches b
            WHERE b.id = {BATCH} AND m.user_id = b.user_id AND m.server_type = b.server_type
            """,
        ),
    ),
    Breakage(
        "pool-follows-standing",
        (f"UPDATE discovery.candidates SET restricted = true WHERE user_id = {ALONE}",),
    ),
    Breakage(
        "blocks-keep-apart",
        (f"INSERT INTO discovery.member_blocks VALUES ({CONNECTED}, {ALONE}, true, clock.now())",),
    ),
    Breakage(
        "partner-cards-follow-connections",
        (
            """
            UPDATE discovery.partner_cards SET active = NOT active WHERE (connection_id, viewer_id) = (
                SELECT connection_id, viewer_id FROM discovery.partner_cards ORDER BY 1, 2 LIMIT 1)
            """,
        ),
    ),
    Breakage(
        "cards-say-what-was-sent",
        (
            """
            UPDATE discovery.card_interests SET sent = true, over_at = NULL WHERE interest_id = (
                SELECT interest_id FROM discovery.card_interests WHERE NOT sent ORDER BY interest_id LIMIT 1)
            """,
        ),
    ),
    Breakage(
        "waiting-interests-are-pending",
        (
            f"""
            INSERT INTO discovery.waiting_interests
            VALUES (gen_random_uuid(), 1, {ALONE}, {CONNECTED}, 'partner', true, clock.now() + interval '1 day')
            """,
        ),
    ),
)
