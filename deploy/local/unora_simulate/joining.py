"""The sign-ups of a day: an account, a complete profile, and rows in each context that keeps something of a member."""

from __future__ import annotations

from typing import Final

from unora_simulate.statements import AT, DAY, NOISE, event, kept

NEW: Final = f"SELECT m.user_id FROM simulated.members m WHERE m.joined = {DAY}"
MEMBER: Final = f"FROM simulated.members m WHERE m.joined = {DAY}"


def _text(length: int) -> str:
    return f"left(repeat(md5(m.user_id::text), 10), {length})"


IDENTITY: Final = (
    f"""INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, tier, connection_limit, created_at, version)
    SELECT m.user_id, sha256(m.user_id::text::bytea), {NOISE} || '\\x00', {NOISE} || '\\x00', m.tier,
        CASE m.tier WHEN 'free' THEN 1 ELSE 2 END, {AT}, 1 {MEMBER}""",
    f"""INSERT INTO identity.sessions (id, user_id, started_at, device_digest)
    SELECT m.session_id, m.user_id, {AT}, sha256(m.session_id::text::bytea) {MEMBER}""",
    f"""INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at)
    SELECT {NOISE}, m.session_id, {AT}, {AT} + interval '30 days' {MEMBER}""",
    f"""INSERT INTO identity.phone_challenges (id, request_id, phone_hash, code_hash, issued_at, expires_at, sent_at,
        used_at, used_by, session_id, created_account, new_user_id, phone_sealed, data_key, created_at)
    SELECT uuidv7(), gen_random_uuid(), sha256(m.user_id::text::bytea), {NOISE}, {AT}, {AT} + interval '10 minutes',
        {AT}, {AT}, m.user_id, m.session_id, true, m.user_id, {NOISE}, {NOISE}, {AT} {MEMBER}""",
    f"""INSERT INTO identity.profiles (user_id, name, date_of_birth, gender, city, bio, occupation, time_zone, place_id,
        country)
    SELECT m.user_id, {_text(8)}, '1990-01-01', CASE m.n % 20 WHEN 0 THEN 'non_binary' WHEN 1 THEN 'woman'
        ELSE (ARRAY['woman', 'man'])[1 + m.n % 2] END, 'Berlin', {_text(200)}, {_text(20)}, 'Europe/Berlin', '2950159',
        'DE' {MEMBER}""",
    f"""INSERT INTO identity.hobbies (user_id, hobby_option_id, position, micro_description)
    SELECT m.user_id, o.ids[1 + (m.n + k * 11) % cardinality(o.ids)], k, {_text(120)}
    FROM simulated.members m, generate_series(1, {{hobbies}}) k,
        (SELECT array_agg(id ORDER BY id) AS ids FROM identity.hobby_options) o
    WHERE m.joined = {DAY}""",
    f"""INSERT INTO identity.photos (id, user_id, position, object_key, has_face, quality_passed, sharpness, brightness,
        width, height, created_at, card_key, thumbnail_key, fingerprint)
    SELECT uuidv7(), m.user_id, k, m.user_id || '/' || gen_random_uuid(), true, true, 200, 120, 1536, 2048, {AT},
        m.user_id || '/' || gen_random_uuid(), m.user_id || '/' || gen_random_uuid(), m.n * 7919::bigint
    FROM simulated.members m, generate_series(1, {{photos}}) k WHERE m.joined = {DAY}""",
)
OTHERS: Final = (
    f"""INSERT INTO discovery.candidates (user_id, profile_version, discovery_ready, gender, age_band, city, place_id,
        trust_level, tier, hobby_option_ids, hobbies)
    SELECT m.user_id, 9, true, p.gender, '30_34', p.city, p.place_id, 3, m.tier, array_agg(h.hobby_option_id),
        jsonb_agg(jsonb_build_object('hobby_option_id', h.hobby_option_id, 'micro_description', h.micro_description))
    FROM simulated.members m JOIN identity.profiles p USING (user_id) JOIN identity.hobbies h USING (user_id)
    WHERE m.joined = {DAY} GROUP BY m.user_id, m.tier, p.gender, p.city, p.place_id""",
    f"""INSERT INTO discovery.server_memberships (user_id, server_type, joined_at)
    SELECT m.user_id, m.server_type, {AT} {MEMBER}""",
    f"""INSERT INTO discovery.filters (user_id, server_type, genders, age_bands, updated_at)
    SELECT m.user_id, m.server_type, '{{{{woman}}}}', '{{{{25_29,30_34,35_39}}}}', {AT} {MEMBER}""",
    f"INSERT INTO discovery.refresh_timers (user_id) SELECT m.user_id {MEMBER}",
    f"""INSERT INTO matching.inventory (user_id, tier, active_connection_count, connection_limit, version, tier_limit)
    SELECT m.user_id, m.tier, 0, CASE m.tier WHEN 'free' THEN 1 ELSE 2 END, 1,
        CASE m.tier WHEN 'free' THEN 1 ELSE 2 END {MEMBER}""",
    f"""INSERT INTO reveal.personality_answers (user_id, question_id, answer, answered_at)
    SELECT m.user_id, q.id, 1 + (m.n + q.id) % 5, {AT}
    FROM simulated.members m, (SELECT id FROM reveal.personality_questions ORDER BY id LIMIT {{answers}}) q
    WHERE m.joined = {DAY}""",
    f"""INSERT INTO reveal.personality_scores (user_id, scores, answered_count, version, computed_at)
    SELECT m.user_id, '{{{{"structure": {{{{"score": 0.5, "confidence": 0.5}}}}}}}}', {{answers}}, 1, {AT} {MEMBER}""",
    f"INSERT INTO streak.tiers (user_id, tier, version) SELECT m.user_id, m.tier, 1 {MEMBER} AND m.tier <> 'free'",
    f"INSERT INTO reveal.tiers (user_id, tier, version) SELECT m.user_id, m.tier, 1 {MEMBER} AND m.tier <> 'free'",
    f"""INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    SELECT m.user_id, m.tier, 0, false, 0, 1 {MEMBER}""",
    f"""INSERT INTO safety.device_accounts (device_digest, user_id, seen_at)
    SELECT sha256(m.session_id::text::bytea), m.user_id, {AT} {MEMBER}""",
)
TOLD: Final = (
    event("identity", "account_created", 90, NEW),
    event("identity", "session_opened", 160, NEW),
    event("identity", "photo_added", 130, f"SELECT m.user_id FROM simulated.members m, generate_series(1, {{photos}}) "
          f"WHERE m.joined = {DAY}"),
    event("identity", "discovery_profile_changed", 90, f"SELECT m.user_id FROM simulated.members m, "
          f"generate_series(1, 3) WHERE m.joined = {DAY}"),
    event("discovery", "server_joined", 100, NEW),
    event("reveal", "personality_changed", 90, NEW),
    kept("identity", "AccountService/VerifyPhone", 1200, NEW),
    kept("identity", "ProfileService/UpdateProfile", 900, NEW),
    kept("discovery", "DiscoveryService/JoinServer", 60, NEW),
    kept("reveal", "PersonalityService/AnswerQuestions", 200, NEW),
)  # fmt: skip
NEWCOMERS: Final = f"""
    INSERT INTO simulated.members (n, user_id, session_id, server_type, tier, joined)
    SELECT n, uuidv7(), uuidv7(), (ARRAY['partner', 'friend', 'growth'])[1 + n % 3],
        CASE WHEN random() < {{subscribers}} THEN 'plus' ELSE 'free' END, {DAY}
    FROM generate_series({{first}}, {{last}}) n"""
JOINING: Final = (*IDENTITY, *OTHERS, *TOLD)
ROTATED: Final = (
    f"""UPDATE identity.refresh_tokens t SET used_at = {AT}, used_by = gen_random_uuid(), successor = {NOISE}
    FROM simulated.members m
    WHERE m.session_id = t.session_id AND t.used_at IS NULL AND m.joined < {DAY} AND random() < {{active}}""",
    f"""INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at, used_at, used_by, successor)
    SELECT {NOISE}, t.session_id, {AT}, {AT} + interval '30 days', {AT}, gen_random_uuid(), {NOISE}
    FROM identity.refresh_tokens t, generate_series(2, {{rotations}})
    WHERE t.used_at = {AT}""",
    f"""INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at)
    SELECT {NOISE}, m.session_id, {AT}, {AT} + interval '30 days' FROM simulated.members m
    WHERE NOT EXISTS (SELECT FROM identity.refresh_tokens t WHERE t.session_id = m.session_id AND t.used_at IS NULL)""",
)
"""One who opens the app refreshes a token several times. Sessions that were purged begin anew."""
SESSIONS: Final = (
    f"""INSERT INTO identity.sessions (id, user_id, started_at, device_digest)
    SELECT m.session_id, m.user_id, {AT}, sha256(m.session_id::text::bytea) FROM simulated.members m
    WHERE NOT EXISTS (SELECT FROM identity.sessions s WHERE s.id = m.session_id)""",
    *ROTATED,
)
