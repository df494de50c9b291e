"""Slots, interests, wipes and connections."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import (
    ALONE,
    CONNECTED,
    FORMER_SUBSCRIBER,
    MATCHED,
    PARTNER,
    SUBSCRIBER,
    interest,
    partner_of,
    slots,
)

BREAKAGES = (
    Breakage(
        "slots-are-counted",
        slots(CONNECTED, "active_connection_count = 0"),
    ),
    Breakage(
        "within-the-limit",
        (
            "ALTER TABLE matching.inventory DROP CONSTRAINT ck_inventory_within_limit,"
            " DROP CONSTRAINT ck_inventory_effective_limit",
            *slots(CONNECTED, "connection_limit = 0"),
        ),
        also=("slots-of-the-tier",),
    ),
    Breakage(
        "slots-of-the-tier",
        (f"UPDATE matching.inventory SET tier_limit = 0 WHERE user_id = {CONNECTED}",),
    ),
    Breakage(
        "none-formed-over-the-tier",
        (
            f"UPDATE matching.inventory SET tier_limit = 0 WHERE user_id = {FORMER_SUBSCRIBER}",
            f"""
            UPDATE matching.connections SET formed_at = clock.now()
            WHERE connection_status = 'active' AND {FORMER_SUBSCRIBER} IN (user_a_id, user_b_id)
            """,
        ),
        also=("slots-of-the-tier",),
    ),
    Breakage(
        "formed-by-two-interests",
        (f"UPDATE matching.interests SET server_type = 'friend' WHERE sender_id = {CONNECTED}",),
    ),
    Breakage(
        "one-connection-a-pair",
        (
            "DROP INDEX matching.uq_connections_one_active_per_pair",
            f"""
            INSERT INTO matching.connections (
                id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
            VALUES (gen_random_uuid(), {CONNECTED}, {PARTNER}, 'friend', 'active', clock.now(), 1)
            """,
        ),
        also=("slots-are-counted", "formed-by-two-interests", "one-streak-a-connection"),
    ),
    Breakage(
        "ended-for-good",
        (
            f"""
            INSERT INTO matching.connections (id, user_a_id, user_b_id, server_type, connection_status, formed_at,
                ended_at, ended_by_id, end_reason, version)
            SELECT gen_random_uuid(), user_a_id, user_b_id, server_type, 'ended', formed_at - interval '2 days',
                formed_at - interval '1 day', user_a_id, 'other', 2 FROM matching.connections WHERE id = {MATCHED}
            """,
        ),
        also=(
            "formed-by-two-interests",
            "one-streak-a-connection",
            "closed-when-ended",
            "undisclosed-when-ended",
            "endings-are-known",
        ),
    ),
    Breakage(
        "only-the-matched-connect",
        (
            "ALTER TABLE matching.interests DROP CONSTRAINT ck_interests_matched",
            f"""
            UPDATE matching.interests SET connection_id = {MATCHED}
            WHERE id = (SELECT id FROM matching.interests WHERE interest_status = 'wiped' ORDER BY id LIMIT 1)
            """,
        ),
    ),
    Breakage("interests-expire", (interest(ALONE, CONNECTED, days_ago=15),)),
    Breakage("no-slot-no-interest", (interest(CONNECTED, ALONE),)),
    Breakage(
        "wipes-are-recorded",
        (f"UPDATE matching.interest_wipes SET wiped_count = wiped_count + 1 WHERE user_id = {CONNECTED}",),
    ),
    Breakage(
        "no-interest-while-connected",
        (interest(SUBSCRIBER, partner_of(SUBSCRIBER)),),
    ),
    Breakage("chat-from-day-15", (f"UPDATE matching.connections SET chat_unlocked_at = NULL WHERE id = {MATCHED}",)),
)
