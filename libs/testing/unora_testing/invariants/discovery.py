"""Batches, the pool, and the projections that the pool is made of."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "batch-of-five",
        ("DI-02",),
        "an active batch has exactly five cards",
        """
        SELECT b.id AS batch_id, count(k.id) AS cards
        FROM discovery.discovery_batches b
        LEFT JOIN discovery.discovery_cards k ON k.batch_id = b.id AND k.deleted_at IS NULL
        WHERE b.deleted_at IS NULL GROUP BY b.id HAVING count(k.id) <> 5
        """,
    ),
    Invariant(
        "one-active-batch",
        ("DI-03",),
        "a member has at most one active batch in a server",
        """
        SELECT user_id, server_type, count(*) AS batches FROM discovery.discovery_batches
        WHERE deleted_at IS NULL GROUP BY user_id, server_type HAVING count(*) > 1
        """,
    ),
    Invariant(
        "cards-of-the-server",
        ("DI-01", "DI-09"),
        "a card shows another member of the server of its batch, which its viewer has joined",
        """
        SELECT b.id AS batch_id, b.user_id, k.shown_user_id
        FROM discovery.discovery_batches b JOIN discovery.discovery_cards k ON k.batch_id = b.id
        LEFT JOIN discovery.server_memberships viewer
            ON viewer.user_id = b.user_id AND viewer.server_type = b.server_type
        LEFT JOIN discovery.server_memberships shown
            ON shown.user_id = k.shown_user_id AND shown.server_type = b.server_type
        WHERE b.user_id = k.shown_user_id OR viewer.user_id IS NULL OR shown.user_id IS NULL
        """,
    ),
    Invariant(
        "ready-means-complete",
        ("ID-08", "PR-02", "PR-05", "PR-06"),
        "a member shown as ready has a complete profile, three photos, one of them with a face, and two hobbies",
        """
        SELECT c.user_id FROM discovery.candidates c
        LEFT JOIN identity.profiles p ON p.user_id = c.user_id AND p.deleted_at IS NULL
        WHERE c.discovery_ready AND (
            p.user_id IS NULL OR p.name = '' OR p.city = '' OR p.time_zone = ''
            OR p.gender IS NULL OR p.date_of_birth IS NULL
            OR p.date_of_birth > (clock.now() AT TIME ZONE p.time_zone)::date - interval '18 years'
            OR (SELECT count(*) < 3 OR NOT bool_or(has_face) FROM identity.photos
                WHERE user_id = c.user_id AND deleted_at IS NULL)
            OR (SELECT count(*) < 2 FROM identity.hobbies WHERE user_id = c.user_id AND deleted_at IS NULL))
        """,
    ),
    Invariant(
        "pool-follows-places",
        ("PR-11", "XX-02"),
        "the pool shows and compares the places that identity keeps, and no city without a place",
        """
        SELECT c.user_id FROM discovery.candidates c JOIN identity.profiles p USING (user_id)
        WHERE c.discovery_ready AND (c.place_id <> p.place_id OR (c.place_id <> '' AND c.city <> p.city))
        """,
    ),
    Invariant(
        "pool-follows-hobbies",
        ("DI-07", "XX-02"),
        "the pool ranks by the hobbies that identity keeps",
        """
        SELECT c.user_id FROM discovery.candidates c
        WHERE c.discovery_ready AND c.hobby_option_ids <> ARRAY(
            SELECT hobby_option_id FROM identity.hobbies
            WHERE user_id = c.user_id AND deleted_at IS NULL ORDER BY position)
        """,
    ),
    Invariant(
        "pool-follows-words",
        ("PR-10", "DI-08"),
        "the pool shows of each hobby the words that identity keeps, and none that are hidden",
        """
        SELECT c.user_id FROM discovery.candidates c
        WHERE c.discovery_ready AND jsonb_path_query_array(c.hobbies, '$[*].micro_description') <> (
            SELECT jsonb_agg(CASE WHEN hidden THEN '' ELSE micro_description END ORDER BY position)
            FROM identity.hobbies WHERE user_id = c.user_id AND deleted_at IS NULL)
        """,
    ),
    Invariant(
        "pool-follows-slots",
        ("DI-06", "DI-09", "XX-02"),
        "the pool knows the slots of every member as matching keeps them",
        """
        SELECT i.user_id, i.active_connection_count, c.active_connection_count AS known
        FROM matching.inventory i LEFT JOIN discovery.candidates c USING (user_id)
        WHERE i.version > 0 AND (i.active_connection_count, i.connection_limit)
            IS DISTINCT FROM (c.active_connection_count::int, c.connection_limit::int)
            AND i.user_id NOT IN (SELECT user_id FROM matching.erased_members)
        """,
    ),
    Invariant(
        "account-follows-slots",
        ("XX-02",),
        "the account shows the connections that matching counts, and its limit",
        """
        SELECT i.user_id, i.active_connection_count, u.active_connection_count AS known
        FROM matching.inventory i LEFT JOIN identity.users u ON u.id = i.user_id
        WHERE i.version > 0 AND (i.active_connection_count, i.connection_limit)
            IS DISTINCT FROM (u.active_connection_count::int, u.connection_limit::int)
            AND i.user_id NOT IN (SELECT user_id FROM matching.erased_members)
        """,
    ),
    Invariant(
        "account-follows-timer",
        ("DI-04", "XX-02"),
        "the account shows the one refresh timer that discovery keeps",
        """
        SELECT t.user_id, t.refresh_available_at, u.refresh_available_at AS known
        FROM discovery.refresh_timers t LEFT JOIN identity.users u ON u.id = t.user_id
        WHERE (t.last_global_refresh_at, t.refresh_available_at)
            IS DISTINCT FROM (u.last_global_refresh_at, u.refresh_available_at)
        """,
    ),
    Invariant(
        "timer-follows-tier",
        ("DI-04", "DI-14"),
        "the time from the last refresh to the next possible one is that of the current tier",
        """
        SELECT t.user_id, c.tier, t.last_global_refresh_at, t.refresh_available_at
        FROM discovery.refresh_timers t LEFT JOIN discovery.candidates c USING (user_id)
        WHERE t.refresh_available_at <> t.last_global_refresh_at + make_interval(hours =>
            CASE coalesce(c.tier, 'free') WHEN 'pro' THEN 6 WHEN 'plus' THEN 12 ELSE 24 END)
        """,
    ),
    Invariant(
        "no-batch-after-leaving",
        ("DI-01", "DI-03"),
        "a member who has left a server has no active batch there",
        """
        SELECT b.id AS batch_id, b.user_id, b.server_type
        FROM discovery.discovery_batches b JOIN discovery.server_memberships m USING (user_id, server_type)
        WHERE b.deleted_at IS NULL AND m.left_at IS NOT NULL
        """,
    ),
    Invariant(
        "pool-follows-standing",
        ("DI-09", "DI-10", "SA-03", "XX-02"),
        "the pool knows the standing of every member as safety keeps it",
        """
        SELECT coalesce(c.user_id, r.user_id) AS user_id
        FROM discovery.candidates c FULL JOIN safety.restrictions r USING (user_id)
        WHERE (coalesce(c.reduced_visibility, false), coalesce(c.restricted, false), coalesce(c.suspended, false))
            <> (coalesce(r.reduced_visibility, false), coalesce(r.restricted, false), coalesce(r.suspended, false))
        """,
    ),
    Invariant(
        "blocks-keep-apart",
        ("DI-09", "MA-12", "XX-02"),
        "discovery separates exactly the pairs with a block",
        """
        SELECT coalesce(k.blocker_id, b.blocker_id) AS blocker_id, coalesce(k.blocked_id, b.blocked_id) AS blocked_id
        FROM (SELECT blocker_id, blocked_id FROM discovery.member_blocks WHERE in_force) k
        FULL JOIN (SELECT DISTINCT blocker_id, blocked_id FROM safety.blocks WHERE deleted_at IS NULL) b
            ON b.blocker_id = k.blocker_id AND b.blocked_id = k.blocked_id
        WHERE k.blocker_id IS NULL OR b.blocker_id IS NULL
        """,
    ),
    Invariant(
        "partner-cards-follow-connections",
        ("DI-15", "XX-02"),
        "the card of a partner is of the other member of the connection, and shown while it is active",
        """
        SELECT p.connection_id, p.viewer_id, p.active, c.connection_status FROM discovery.partner_cards p
        LEFT JOIN matching.connections c ON c.id = p.connection_id
            AND (p.viewer_id, p.shown_user_id) IN ((c.user_a_id, c.user_b_id), (c.user_b_id, c.user_a_id))
        WHERE p.active IS DISTINCT FROM (c.connection_status = 'active')
        """,
    ),
    Invariant(
        "cards-say-what-was-sent",
        ("DI-16", "XX-02"),
        "the card of an interest says that it was sent as long as its sender sees it pending, or if it matched",
        """
        SELECT k.interest_id, k.sent, i.shown_as FROM discovery.card_interests k
        JOIN matching.interests i ON i.id = k.interest_id
        WHERE k.card_id <> i.card_id OR k.sent <> (i.shown_as IN ('pending', 'matched'))
        """,
    ),
    Invariant(
        "waiting-interests-are-pending",
        ("DI-13", "MA-05", "MA-10"),
        "only a pending interest puts its sender on the receiver's cards",
        """
        SELECT w.interest_id, i.interest_status
        FROM discovery.waiting_interests w LEFT JOIN matching.interests i ON i.id = w.interest_id
        WHERE w.waits AND w.waits_until > clock.now() AND (
            i.interest_status IS DISTINCT FROM 'pending'
            OR (i.sender_id, i.receiver_id, i.server_type) <> (w.sender_id, w.receiver_id, w.server_type))
        """,
    ),
)
