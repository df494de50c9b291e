"""The refreshes and interests of a day, and what becomes of interests and connections."""

from __future__ import annotations

from typing import Final

from unora_simulate.statements import AT, event, kept

REFRESHES: Final = (
    "TRUNCATE simulated.refreshing",
    """INSERT INTO simulated.refreshing
    SELECT m.user_id, m.n, m.server_type, uuidv7(), 1 + floor(random() * ({count} / 6 - 1))::int
    FROM simulated.members m WHERE m.n BETWEEN {low} AND {high} AND random() < {refreshes}""",
    f"""UPDATE discovery.discovery_batches b SET deleted_at = {AT} FROM simulated.refreshing r
    WHERE b.user_id = r.user_id AND b.server_type = r.server_type AND b.deleted_at IS NULL""",
    f"""INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at)
    SELECT batch_id, user_id, server_type, {AT} FROM simulated.refreshing""",
    """INSERT INTO discovery.discovery_cards (id, batch_id, position, shown_user_id, age_band, city, place_id,
        trust_level, hobbies, profile_version)
    SELECT uuidv7(), r.batch_id, k, c.user_id, c.age_band, c.city, c.place_id, c.trust_level, c.hobbies, 9
    FROM simulated.refreshing r CROSS JOIN generate_series(1, 5) k
    JOIN simulated.members m ON m.n = 1 + (r.n - 1 + k * r.step) % {count}
    JOIN discovery.candidates c ON c.user_id = m.user_id""",
    f"""UPDATE discovery.refresh_timers t SET last_global_refresh_at = {AT}, version = version + 1,
        refresh_available_at = {AT} + interval '24 hours'
    FROM simulated.refreshing r WHERE t.user_id = r.user_id""",
    f"""UPDATE identity.users u SET last_global_refresh_at = {AT}, refresh_available_at = {AT} + interval '24 hours',
        refresh_version = refresh_version + 1
    FROM simulated.refreshing r WHERE u.id = r.user_id""",
    event("discovery", "batch_refreshed", 170, "SELECT user_id FROM simulated.refreshing"),
    kept("discovery", "DiscoveryService/RefreshBatch", 1900, "SELECT user_id FROM simulated.refreshing"),
)
"""In one transaction: a batch has five cards at its end. Members are taken in portions, from `low` to `high`."""

SENT: Final = f"FROM matching.interests i WHERE i.sent_at = {AT}"
INTERESTS: Final = (
    f"""INSERT INTO matching.interests (id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as,
        sent_at, version)
    SELECT uuidv7(), m.user_id, k.shown_user_id, m.server_type, k.id, 'pending', 'pending', {AT}, 1
    FROM simulated.members m
    JOIN matching.inventory v ON v.user_id = m.user_id AND v.active_connection_count < v.connection_limit
    JOIN discovery.discovery_batches b ON b.user_id = m.user_id AND b.deleted_at IS NULL
    JOIN discovery.discovery_cards k ON k.batch_id = b.id AND k.position = 1 + m.n % 5
    WHERE random() < {{interests}} ON CONFLICT DO NOTHING""",
    f"""INSERT INTO discovery.exclusions (source_id, user_id, other_id, reason, version, apart_until)
    SELECT i.id, i.sender_id, i.receiver_id, 'interest_pending', 1, {AT} + interval '14 days' {SENT}""",
    f"""INSERT INTO discovery.waiting_interests
        (interest_id, version, sender_id, receiver_id, server_type, waits, waits_until)
    SELECT i.id, 1, i.sender_id, i.receiver_id, i.server_type, true, {AT} + interval '14 days' {SENT}""",
    f"""INSERT INTO discovery.card_interests (interest_id, card_id, version, sent)
    SELECT i.id, i.card_id, 1, true {SENT}""",
    f"""INSERT INTO safety.sightings (pattern, user_id, key, occurred_at)
    SELECT 'interest_flood', i.sender_id, i.id, {AT} {SENT}""",
    f"""INSERT INTO safety.activity (user_id, kind, day, count)
    SELECT i.sender_id, 'interests', ({AT})::date, count(*) {SENT} GROUP BY i.sender_id""",
    event("matching", "interest_sent", 200, f"SELECT i.id {SENT}"),
    kept("matching", "MatchingService/SendInterest", 120, f"SELECT i.sender_id {SENT}"),
)

OPEN: Final = "(SELECT user_id FROM matching.inventory WHERE active_connection_count < tier_limit)"
MATCHED: Final = "SELECT connection_id FROM simulated.matches"
BOTH: Final = """(SELECT a AS member, connection_id FROM simulated.matches
    UNION ALL SELECT b, connection_id FROM simulated.matches)"""
MATCHES: Final = (
    "TRUNCATE simulated.matches",
    f"""INSERT INTO simulated.matches
    WITH answered AS MATERIALIZED (
        SELECT i.id, i.sender_id, i.receiver_id, i.server_type,
            row_number() OVER (PARTITION BY i.sender_id ORDER BY i.id) AS of_sender,
            row_number() OVER (PARTITION BY i.receiver_id ORDER BY i.id) AS of_receiver
        FROM matching.interests i
        WHERE i.interest_status = 'pending' AND i.sent_at < {AT} AND random() < {{mutual}}
            AND i.sender_id IN {OPEN} AND i.receiver_id IN {OPEN})
    SELECT id, uuidv7(), uuidv7(), least(sender_id, receiver_id), greatest(sender_id, receiver_id), server_type
    FROM answered WHERE of_sender = 1 AND of_receiver = 1
        AND NOT EXISTS (SELECT FROM answered o WHERE o.sender_id = answered.receiver_id)""",
    f"""INSERT INTO matching.connections (id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
    SELECT connection_id, a, b, server_type, 'active', {AT}, 1 FROM simulated.matches""",
    f"""UPDATE matching.interests i SET interest_status = 'matched', shown_as = 'matched', closed_at = {AT},
        connection_id = t.connection_id, version = 2
    FROM simulated.matches t WHERE i.id = t.interest_id""",
    f"""UPDATE matching.inventory v SET active_connection_count = active_connection_count + 1, version = version + 1
    FROM {BOTH} t WHERE v.user_id = t.member""",
    f"""WITH full_now AS (
        SELECT v.user_id, t.connection_id FROM {BOTH} t JOIN matching.inventory v ON v.user_id = t.member
        WHERE v.active_connection_count >= v.connection_limit),
    wiped AS (
        UPDATE matching.interests i SET interest_status = 'wiped', shown_as = 'wiped', closed_at = {AT}, version = 2
        FROM full_now f WHERE i.sender_id = f.user_id AND i.interest_status = 'pending' RETURNING i.sender_id)
    INSERT INTO matching.interest_wipes (id, user_id, connection_id, wiped_count, wiped_at)
    SELECT uuidv7(), f.user_id, f.connection_id, (SELECT count(*) FROM wiped w WHERE w.sender_id = f.user_id), {AT}
    FROM full_now f""",
    """INSERT INTO discovery.exclusions (source_id, user_id, other_id, reason, version)
    SELECT connection_id, a, b, 'connected', 1 FROM simulated.matches
    UNION ALL SELECT connection_id, b, a, 'connected', 1 FROM simulated.matches""",
    f"""INSERT INTO discovery.partner_cards (connection_id, viewer_id, shown_user_id, version, active, profile_version,
        age_band, city, place_id, trust_level, hobbies)
    SELECT t.connection_id, o.member, c.user_id, 1, true, 9, c.age_band, c.city, c.place_id, c.trust_level, c.hobbies
    FROM simulated.matches t JOIN {BOTH} o USING (connection_id)
    JOIN discovery.candidates c ON c.user_id = CASE o.member WHEN t.a THEN t.b ELSE t.a END""",
    f"""INSERT INTO streak.streaks (id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle,
        completed_days, current_day, zone, check_in_date, closes_at, here, started_at, next_due_at, version)
    SELECT streak_id, connection_id, a, b, server_type, 'active', 1, 0, 1, 'Europe/Berlin', ({AT})::date + 1,
        {AT} + interval '34 hours', '{{{{}}}}', {AT}, {AT} + interval '34 hours', 1 FROM simulated.matches""",
    """INSERT INTO reveal.pairs (connection_id, streak_id, user_a_id, user_b_id, completed_days)
    SELECT connection_id, streak_id, a, b, 0 FROM simulated.matches""",
    f"""INSERT INTO reveal.progressions (streak_id, user_id, tier)
    SELECT t.streak_id, o.member, m.tier FROM simulated.matches t JOIN {BOTH} o USING (connection_id)
    JOIN simulated.members m ON m.user_id = o.member""",
    f"""INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number)
    SELECT uuidv7(), t.streak_id, t.connection_id, o.member, CASE o.member WHEN t.a THEN t.b ELSE t.a END, k
    FROM simulated.matches t JOIN {BOTH} o USING (connection_id) CROSS JOIN generate_series(1, 5) k""",
    event("matching", "connection_formed", 190, MATCHED, members=2),
    event("matching", "inventory_changed", 110, f"SELECT member FROM {BOTH} t"),
    event("matching", "interests_wiped", 100, f"SELECT member FROM {BOTH} t", members=0),
    event("streak", "streak_started", 260, "SELECT streak_id FROM simulated.matches", members=2),
)

CLOSED: Final = f"FROM matching.interests i WHERE i.closed_at = {AT}"
ENDS: Final = (
    f"""UPDATE matching.interests SET interest_status = 'expired', shown_as = 'expired', closed_at = {AT},
        version = 2
    WHERE interest_status = 'pending' AND sent_at < {AT} - interval '14 days'""",
    f"""UPDATE matching.interests SET interest_status = 'withdrawn', shown_as = 'withdrawn', closed_at = {AT},
        version = 2
    WHERE interest_status = 'pending' AND sent_at < {AT} AND random() < {{withdrawals}}""",
    f"""UPDATE discovery.exclusions e SET reason = 'lifted', version = 2, apart_until = least(apart_until, {AT})
    {CLOSED.replace("WHERE", "WHERE e.source_id = i.id AND")}""",
    f"""UPDATE discovery.waiting_interests w SET waits = false, waits_until = {AT}, version = 2
    {CLOSED.replace("WHERE", "WHERE w.interest_id = i.id AND")}""",
    f"""UPDATE discovery.card_interests k SET sent = false, over_at = {AT}, version = 2
    {CLOSED.replace("WHERE", "WHERE k.interest_id = i.id AND i.interest_status <> 'matched' AND")}""",
    event("matching", "interest_closed", 200, f"SELECT i.id {CLOSED}", members=0),
    "TRUNCATE simulated.ending",
    f"""INSERT INTO simulated.ending SELECT id, user_a_id, user_b_id FROM matching.connections
    WHERE connection_status = 'active' AND formed_at < {AT} AND random() < {{endings}}""",
    f"""UPDATE matching.connections c SET connection_status = 'ended', ended_at = {AT}, ended_by_id = e.a,
        end_reason = 'not_a_fit', version = version + 1
    FROM simulated.ending e WHERE c.id = e.connection_id""",
    """WITH free AS (
        SELECT member, count(*) AS ended FROM (
            SELECT a AS member FROM simulated.ending UNION ALL SELECT b FROM simulated.ending) each GROUP BY member)
    UPDATE matching.inventory v SET active_connection_count = active_connection_count - free.ended::int,
        connection_limit = greatest(tier_limit, active_connection_count - free.ended::int), version = version + 1
    FROM free WHERE v.user_id = free.member""",
    """UPDATE discovery.exclusions x SET reason = 'ended', version = 2
    FROM simulated.ending e WHERE x.source_id = e.connection_id""",
    """UPDATE discovery.partner_cards p SET active = false, version = 2
    FROM simulated.ending e WHERE p.connection_id = e.connection_id""",
    f"""UPDATE streak.breaks b SET closed_at = {AT}, outcome = 'terminated'
    FROM simulated.ending e JOIN streak.streaks s USING (connection_id)
    WHERE b.streak_id = s.id AND b.closed_at IS NULL""",
    f"""UPDATE streak.streaks s SET streak_state = CASE streak_state WHEN 'completed' THEN 'completed'
            ELSE 'terminated' END, ended_at = coalesce(ended_at, {AT}), connection_ended_at = {AT}, next_due_at = NULL,
        window_closes_at = NULL, breaker_user_id = NULL, here = '{{{{}}}}', version = version + 1
    FROM simulated.ending e WHERE s.connection_id = e.connection_id""",
    f"UPDATE reveal.pairs p SET ended_at = {AT} FROM simulated.ending e WHERE p.connection_id = e.connection_id",
    f"""INSERT INTO billing.connection_endings (connection_id, ended_by_id, ended_at)
    SELECT connection_id, a, {AT} FROM simulated.ending""",
    f"""INSERT INTO identity.disclosures (connection_id, user_a_id, user_b_id, ended_at, version)
    SELECT connection_id, a, b, {AT}, 1 FROM simulated.ending
    ON CONFLICT (connection_id) DO UPDATE SET ended_at = excluded.ended_at, version = 2""",
    event("matching", "connection_ended", 210, "SELECT connection_id FROM simulated.ending", members=1),
    event(
        "matching", "inventory_changed", 110, "SELECT a FROM simulated.ending UNION ALL SELECT b FROM simulated.ending"
    ),
    event("streak", "streak_terminated", 190, "SELECT connection_id FROM simulated.ending", members=2),
)
