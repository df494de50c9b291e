"""The days of streaks: check-ins, missed days, recoveries, reveals, and the payments that go with them."""

from __future__ import annotations

from typing import Final

from unora_simulate.statements import AT, event, kept

WINDOWS: Final = (
    "TRUNCATE simulated.windows",
    """INSERT INTO simulated.windows
    SELECT s.id, b.id, s.breaker_user_id, CASE s.breaker_user_id WHEN s.user_a_id THEN s.user_b_id ELSE s.user_a_id END,
        s.connection_id, uuidv7(), random() < {recoveries}
    FROM streak.streaks s JOIN streak.breaks b ON b.streak_id = s.id AND b.closed_at IS NULL
    WHERE s.streak_state = 'payment_window'""",
    f"""INSERT INTO billing.payments (id, payer_id, request_id, purpose, method, amount, currency, streak_id, status,
        connection_id, provider_payment_id, created_at, version)
    SELECT payment_id, breaker, gen_random_uuid(), 'recovery', 'money', 299, 'USD', streak_id, 'created', connection_id,
        'pi_' || payment_id, {AT}, 1 FROM simulated.windows WHERE saved""",
    f"""UPDATE billing.payments p SET status = 'succeeded', succeeded_at = {AT}, version = 3
    FROM simulated.windows w WHERE p.id = w.payment_id AND w.saved""",
    """UPDATE billing.payments p SET status = 'applied', version = 4
    FROM simulated.windows w WHERE p.id = w.payment_id AND w.saved""",
    f"""INSERT INTO billing.provider_events (event_id, kind, provider_payment_id, payment_id, outcome, received_at)
    SELECT 'evt_' || payment_id, 'payment_intent.succeeded', 'pi_' || payment_id, payment_id, 'applied', {AT}
    FROM simulated.windows WHERE saved""",
    f"""UPDATE billing.credit_protections SET status = 'expired', closed_at = {AT}, version = 2
    WHERE status = 'open' AND expires_at <= {AT}""",
    f"""INSERT INTO billing.credit_protections (id, payment_id, payer_id, partner_id, connection_id, status, opened_at,
        expires_at, version)
    SELECT uuidv7(), payment_id, breaker, partner, connection_id, 'open', {AT}, {AT} + interval '24 hours', 1
    FROM simulated.windows WHERE saved""",
    f"""INSERT INTO streak.recovery_holds (payment_id, break_id, user_id, held_at, held_until)
    SELECT payment_id, break_id, breaker, {AT}, {AT} + interval '1 hour' FROM simulated.windows WHERE saved""",
    f"""INSERT INTO streak.recovery_payments (id, break_id, user_id, payment_id, recovered_at)
    SELECT uuidv7(), break_id, breaker, payment_id, {AT} FROM simulated.windows WHERE saved""",
    f"""UPDATE streak.breaks b SET closed_at = {AT}, outcome = CASE WHEN w.saved THEN 'recovered' ELSE 'reset' END
    FROM simulated.windows w WHERE b.id = w.break_id""",
    """UPDATE streak.streaks s SET streak_state = CASE WHEN w.saved THEN 'active' ELSE 'reset' END,
        cycle = CASE WHEN w.saved THEN s.cycle ELSE s.cycle + 1 END,
        completed_days = CASE WHEN w.saved THEN s.completed_days ELSE 0 END,
        current_day = CASE WHEN w.saved THEN s.current_day ELSE 1 END,
        window_closes_at = NULL, breaker_user_id = NULL, here = '{{}}', version = version + 1
    FROM simulated.windows w WHERE s.id = w.streak_id""",
    "UPDATE streak.streaks SET streak_state = 'active', version = version + 1 WHERE streak_state = 'reset'",
    event("billing", "payment_created", 190, "SELECT payment_id FROM simulated.windows WHERE saved"),
    event("billing", "payment_succeeded", 190, "SELECT payment_id FROM simulated.windows WHERE saved"),
    event("billing", "payment_applied", 120, "SELECT payment_id FROM simulated.windows WHERE saved"),
    event("billing", "protection_opened", 200, "SELECT payment_id FROM simulated.windows WHERE saved", members=2),
    event("billing", "protection_closed", 160, "SELECT payment_id FROM simulated.windows WHERE saved", members=1),
    event("streak", "recovery_held", 170, "SELECT streak_id FROM simulated.windows WHERE saved"),
    event("streak", "streak_recovered", 190, "SELECT streak_id FROM simulated.windows WHERE saved", members=2),
    event("streak", "streak_reset", 170, "SELECT streak_id FROM simulated.windows WHERE NOT saved", members=2),
    kept("billing", "BillingService/CreatePayment", 300, "SELECT breaker FROM simulated.windows WHERE saved"),
)

DAYS: Final = (
    "TRUNCATE simulated.days",
    f"""INSERT INTO simulated.days
    SELECT s.id, s.connection_id, s.user_a_id, s.user_b_id, random() < {{misses}}
    FROM streak.streaks s WHERE s.streak_state = 'active' AND s.started_at < {AT}""",
    f"""UPDATE streak.streaks s SET check_in_date = ({AT})::date, closes_at = {AT} + interval '10 hours',
        next_due_at = {AT} + interval '10 hours', version = version + 1
    FROM simulated.days d WHERE s.id = d.streak_id""",
    f"""INSERT INTO streak.check_ins (id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
    SELECT uuidv7(), s.id, c.member, s.cycle, s.current_day, s.check_in_date, {AT}, 'medium'
    FROM simulated.days d JOIN streak.streaks s ON s.id = d.streak_id
    CROSS JOIN LATERAL (VALUES (d.a, true), (d.b, NOT d.missed)) c (member, came)
    WHERE c.came ON CONFLICT DO NOTHING""",
    f"""UPDATE streak.streaks s SET completed_days = completed_days + 1, current_day = least(completed_days + 2, 15),
        streak_state = CASE completed_days WHEN 14 THEN 'completed' ELSE 'active' END,
        ended_at = CASE completed_days WHEN 14 THEN {AT} END, version = version + 4
    FROM simulated.days d WHERE s.id = d.streak_id AND NOT d.missed""",
    f"""INSERT INTO streak.breaks (id, streak_id, cycle, day, check_in_date, missing_user_id, opened_at)
    SELECT uuidv7(), s.id, s.cycle, s.current_day, s.check_in_date, d.b, {AT}
    FROM simulated.days d JOIN streak.streaks s ON s.id = d.streak_id WHERE d.missed
    ON CONFLICT DO NOTHING""",
    f"""INSERT INTO streak.nudges (id, streak_id, break_id, sender_id, receiver_id, ordinal, sent_at)
    SELECT uuidv7(), d.streak_id, b.id, d.a, d.b, 1, {AT}
    FROM simulated.days d JOIN streak.breaks b ON b.streak_id = d.streak_id AND b.opened_at = {AT}
    WHERE d.missed""",
    """UPDATE streak.streaks s SET streak_state = 'at_risk', here = ARRAY[d.a], version = version + 2
    FROM simulated.days d WHERE s.id = d.streak_id AND d.missed""",
    f"""UPDATE streak.breaks b SET broke_at = {AT}, breaker_user_id = missing_user_id
    WHERE b.opened_at = {AT} AND b.broke_at IS NULL""",
    f"""UPDATE streak.streaks s SET streak_state = 'payment_window', window_closes_at = {AT} + interval '24 hours',
        breaker_user_id = d.b, version = version + 1
    FROM simulated.days d WHERE s.id = d.streak_id AND d.missed""",
    event("streak", "checked_in", 180, "SELECT streak_id FROM simulated.days"),
    event("streak", "checked_in", 180, "SELECT streak_id FROM simulated.days WHERE NOT missed"),
    event("streak", "day_completed", 170, "SELECT streak_id FROM simulated.days WHERE NOT missed", members=2),
    event("streak", "day_began", 150, "SELECT streak_id FROM simulated.days WHERE NOT missed", members=2),
    event("streak", "streak_at_risk", 170, "SELECT streak_id FROM simulated.days WHERE missed", members=2),
    event("streak", "nudge_sent", 170, "SELECT streak_id FROM simulated.days WHERE missed", members=2),
    event("streak", "payment_window_opened", 190, "SELECT streak_id FROM simulated.days WHERE missed", members=2),
    event("streak", "streak_completed", 170, f"SELECT id FROM streak.streaks WHERE ended_at = {AT} "
          "AND streak_state = 'completed'", members=2),
    kept("streak", "StreakService/CheckIn", 420, "SELECT a FROM simulated.days"),
    kept("streak", "StreakService/CheckIn", 420, "SELECT b FROM simulated.days WHERE NOT missed"),
    kept("streak", "StreakService/SendNudge", 150, "SELECT a FROM simulated.days WHERE missed"),
)  # fmt: skip

REVEALS: Final = (
    """UPDATE reveal.pairs p SET completed_days = s.completed_days
    FROM simulated.days d JOIN streak.streaks s ON s.id = d.streak_id
    WHERE p.connection_id = d.connection_id AND s.completed_days > p.completed_days""",
    "TRUNCATE simulated.unlocking",
    """WITH earned AS (
        UPDATE reveal.reveals r SET reveal_status = 'earned', completed_days = p.completed_days, version = 1
        FROM simulated.days d JOIN reveal.pairs p USING (connection_id)
        JOIN reveal.progressions g ON g.streak_id = p.streak_id
        JOIN reveal.reveal_milestones i ON i.tier = g.tier AND i.reveal_day_required <= p.completed_days
        WHERE r.streak_id = p.streak_id AND r.user_id = g.user_id AND r.reveal_number = i.reveal_number
            AND r.reveal_status = 'locked' AND p.ended_at IS NULL
        RETURNING r.id, r.reveal_number)
    INSERT INTO simulated.unlocking SELECT id, reveal_number FROM earned""",
    event("reveal", "reveal_earned", 190, "SELECT reveal_id FROM simulated.unlocking"),
    "DELETE FROM simulated.unlocking WHERE random() >= {openings}",
    f"""UPDATE reveal.reveals r SET reveal_status = 'unlocked', unlocked_at = {AT}, version = 2
    FROM simulated.unlocking u WHERE r.id = u.reveal_id""",
    f"""INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, photo_ids, created_at)
    SELECT reveal_id, reveal_number,
        CASE WHEN reveal_number < 5 THEN jsonb_build_object('title', md5(reveal_id::text),
            'text', left(repeat(md5(reveal_id::text), 10), 300)) END,
        CASE WHEN reveal_number = 5 THEN ARRAY[gen_random_uuid(), gen_random_uuid(), gen_random_uuid()] END, {AT}
    FROM simulated.unlocking WHERE reveal_number <> 3""",
    event("reveal", "reveal_unlocked", 170, "SELECT reveal_id FROM simulated.unlocking"),
    kept("reveal", "RevealService/OpenReveal", 600, "SELECT reveal_id FROM simulated.unlocking"),
    f"""INSERT INTO identity.disclosures (connection_id, user_a_id, user_b_id, streak_id, completed_days, disclosed_at,
        version)
    SELECT connection_id, user_a_id, user_b_id, id, 15, {AT}, 1 FROM streak.streaks
    WHERE ended_at = {AT} AND streak_state = 'completed'""",
    f"""UPDATE matching.connections c SET chat_unlocked_at = {AT}, version = c.version + 1
    FROM streak.streaks s WHERE s.connection_id = c.id AND s.ended_at = {AT} AND s.streak_state = 'completed'""",
    event("identity", "identity_disclosed", 160, f"SELECT connection_id FROM streak.streaks WHERE ended_at = {AT} "
          "AND streak_state = 'completed'", members=2),
)  # fmt: skip

PAID: Final = f"FROM billing.payments p WHERE p.purpose = 'subscription' AND p.created_at = {AT}"
SUBSCRIPTIONS: Final = (
    f"""INSERT INTO billing.subscriptions (id, user_id, tier, status, started_at, periods, current_period_starts_at,
        current_period_ends_at, due_at, attempts, provider_method_id)
    SELECT uuidv7(), m.user_id, m.tier, 'active', {AT}, 0, {AT}, {AT} + interval '30 days', {AT}, 0, 'pm_' || m.n
    FROM simulated.members m WHERE m.tier <> 'free'
        AND NOT EXISTS (SELECT FROM billing.subscriptions s WHERE s.user_id = m.user_id)""",
    f"""INSERT INTO billing.payments (id, payer_id, request_id, purpose, method, amount, currency, plan,
        renews_subscription_id, status, provider_payment_id, created_at, version)
    SELECT uuidv7(), user_id, gen_random_uuid(), 'subscription', 'money', 999, 'USD', tier, id, 'created',
        'pi_' || gen_random_uuid(), {AT}, 1
    FROM billing.subscriptions WHERE status = 'active' AND due_at <= {AT}""",
    f"UPDATE billing.payments p SET status = 'succeeded', succeeded_at = {AT}, version = 3 WHERE p.id IN "
    f"(SELECT p.id {PAID})",
    f"UPDATE billing.payments p SET status = 'applied', version = 4 WHERE p.id IN (SELECT p.id {PAID})",
    f"""INSERT INTO billing.provider_events (event_id, kind, provider_payment_id, payment_id, outcome, received_at)
    SELECT 'evt_' || p.id, 'payment_intent.succeeded', p.provider_payment_id, p.id, 'applied', {AT} {PAID}""",
    f"""UPDATE billing.subscriptions SET periods = periods + 1, current_period_starts_at = {AT},
        current_period_ends_at = {AT} + interval '30 days', due_at = {AT} + interval '30 days'
    WHERE status = 'active' AND due_at <= {AT}""",
    event("billing", "payment_created", 190, f"SELECT p.id {PAID}"),
    event("billing", "payment_succeeded", 190, f"SELECT p.id {PAID}"),
    event("billing", "payment_applied", 120, f"SELECT p.id {PAID}"),
    event("billing", "subscription_changed", 170, f"SELECT p.id {PAID}"),
)
