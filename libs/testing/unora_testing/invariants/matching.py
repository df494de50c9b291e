"""Slots, interests, wipes and connections."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "slots-are-counted",
        ("MA-06",),
        "active_connection_count is the number of active connections",
        """
        WITH held AS (
            SELECT user_id, count(*) AS connections
            FROM matching.connections, unnest(ARRAY[user_a_id, user_b_id]) AS user_id
            WHERE connection_status = 'active' AND deleted_at IS NULL GROUP BY user_id)
        SELECT user_id, i.active_connection_count, held.connections
        FROM matching.inventory i FULL JOIN held USING (user_id)
        WHERE coalesce(i.active_connection_count, 0) <> coalesce(held.connections, 0)
        """,
    ),
    Invariant(
        "within-the-limit",
        ("MA-06",),
        "no member has more connections than slots",
        """
        SELECT user_id, active_connection_count, connection_limit FROM matching.inventory
        WHERE active_connection_count NOT BETWEEN 0 AND connection_limit
        """,
    ),
    Invariant(
        "slots-of-the-tier",
        ("MA-06", "MA-07"),
        "a member has the slots of their tier, or as many as are still taken, if these are more",
        """
        SELECT user_id, tier, tier_limit, active_connection_count, connection_limit FROM matching.inventory
        WHERE tier_limit <> CASE tier WHEN 'pro' THEN 4 WHEN 'plus' THEN 2 ELSE 1 END
            OR connection_limit <> greatest(tier_limit, active_connection_count)
        """,
    ),
    Invariant(
        "none-formed-over-the-tier",
        ("MA-07",),
        "a member with more connections than the tier has slots formed none of them after the tier fell",
        # Matching may learn of the lower tier up to a minute later, by billing's event.
        """
        SELECT c.id AS connection_id, i.user_id, c.formed_at FROM matching.inventory i
        JOIN (SELECT user_id, max(ended_at) AS fell_at FROM billing.subscriptions GROUP BY user_id) s USING (user_id)
        JOIN matching.connections c ON i.user_id IN (c.user_a_id, c.user_b_id)
        WHERE i.active_connection_count > i.tier_limit AND c.connection_status = 'active' AND c.deleted_at IS NULL
            AND c.formed_at > s.fell_at + interval '1 minute'
        """,
    ),
    Invariant(
        "formed-by-two-interests",
        ("MA-01", "MA-08"),
        "a connection was formed by an interest of each of its members, in its server",
        """
        SELECT c.id AS connection_id FROM matching.connections c
        WHERE ARRAY[c.user_a_id, c.user_b_id] <> ARRAY(
            SELECT sender_id FROM matching.interests
            WHERE connection_id = c.id AND interest_status = 'matched' AND server_type = c.server_type
                AND receiver_id = CASE sender_id WHEN c.user_a_id THEN c.user_b_id ELSE c.user_a_id END
            ORDER BY sender_id)
        """,
    ),
    Invariant(
        "one-connection-a-pair",
        ("MA-08",),
        "two members have at most one active connection, over all servers",
        """
        SELECT user_a_id, user_b_id, count(*) AS connections FROM matching.connections
        WHERE connection_status = 'active' AND deleted_at IS NULL GROUP BY user_a_id, user_b_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "ended-for-good",
        ("MA-12",),
        "a pair whose connection has ended is never connected again",
        """
        SELECT c.id AS connection_id, e.id AS ended_id FROM matching.connections c
        JOIN matching.connections e USING (user_a_id, user_b_id)
        WHERE e.connection_status = 'ended' AND c.id <> e.id AND c.formed_at >= e.formed_at
        """,
    ),
    Invariant(
        "only-the-matched-connect",
        ("MA-01", "MA-05", "MA-11"),
        "an interest that was wiped, withdrawn, expired or void is part of no connection",
        """
        SELECT id AS interest_id, interest_status, connection_id FROM matching.interests
        WHERE interest_status <> 'matched' AND connection_id IS NOT NULL
        """,
    ),
    Invariant(
        "interests-expire",
        ("MA-11",),
        "no interest is shown as pending for more than 14 days",
        """
        SELECT id AS interest_id, interest_status, sent_at FROM matching.interests
        WHERE shown_as = 'pending' AND deleted_at IS NULL AND sent_at < clock.now() - interval '14 days 1 minute'
        """,
    ),
    Invariant(
        "no-slot-no-interest",
        ("MA-04",),
        "a member without an open slot has no pending interest",
        """
        SELECT n.id AS interest_id, n.sender_id FROM matching.interests n
        JOIN matching.inventory i ON i.user_id = n.sender_id
        WHERE n.interest_status = 'pending' AND n.deleted_at IS NULL AND i.active_connection_count >= i.connection_limit
        """,
    ),
    Invariant(
        "wipes-are-recorded",
        ("MA-04", "MA-05"),
        "interest_wipes counts the interests that the member's wipe closed",
        """
        WITH closed AS (
            SELECT sender_id AS user_id, closed_at AS wiped_at, count(*) AS wiped FROM matching.interests
            WHERE interest_status = 'wiped' GROUP BY sender_id, closed_at)
        SELECT user_id, wiped_at, w.wiped_count, closed.wiped
        FROM matching.interest_wipes w FULL JOIN closed USING (user_id, wiped_at)
        WHERE coalesce(w.wiped_count, -1) <> coalesce(closed.wiped, 0)
            AND wiped_at > clock.now() - interval '300 days'
        """,
    ),
    Invariant(
        "no-interest-while-connected",
        ("MA-01",),
        "no interest is pending between two connected members",
        """
        SELECT n.id AS interest_id FROM matching.interests n
        JOIN matching.connections c ON c.user_a_id = least(n.sender_id, n.receiver_id)
            AND c.user_b_id = greatest(n.sender_id, n.receiver_id)
        WHERE n.interest_status = 'pending' AND n.deleted_at IS NULL
            AND c.connection_status = 'active' AND c.deleted_at IS NULL
        """,
    ),
    Invariant(
        "chat-from-day-15",
        ("ST-11",),
        "chat is unlocked for an active connection when its streak is complete, and for no other",
        """
        SELECT c.id AS connection_id, c.chat_unlocked_at FROM matching.connections c
        LEFT JOIN streak.streaks s ON s.connection_id = c.id AND s.deleted_at IS NULL AND s.streak_state = 'completed'
        WHERE CASE WHEN c.chat_unlocked_at IS NULL THEN c.connection_status = 'active' AND s.id IS NOT NULL
                   ELSE s.id IS NULL OR c.chat_unlocked_at < s.ended_at END
        """,
    ),
)
