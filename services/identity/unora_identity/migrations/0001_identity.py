"""Accounts, profiles, photos, hobbies and disclosures (ID-01 to ID-06, PR-01 to PR-07, RE-04, RE-10)."""

from unora_common.messaging_schema import create_messaging_tables, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ACCOUNTS = """
CREATE TABLE identity.users (
    id uuid NOT NULL CONSTRAINT pk_users PRIMARY KEY,
    phone_hash bytea NOT NULL CONSTRAINT uq_users_phone_hash UNIQUE,
    phone_sealed bytea NOT NULL,
    data_key bytea NOT NULL,
    tier text NOT NULL DEFAULT 'free',
    active_connection_count smallint NOT NULL DEFAULT 0,
    connection_limit smallint,
    inventory_version bigint NOT NULL DEFAULT 0,
    last_global_refresh_at timestamptz,
    refresh_available_at timestamptz,
    refresh_version bigint NOT NULL DEFAULT 0,
    streak_completed_at timestamptz,
    created_at timestamptz NOT NULL,
    version bigint NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_users_phone_hash CHECK (octet_length(phone_hash) = 32),
    CONSTRAINT ck_users_tier CHECK (tier IN ('free', 'plus', 'pro')),
    CONSTRAINT ck_users_active_connection_count CHECK (active_connection_count >= 0),
    CONSTRAINT ck_users_connection_limit CHECK (connection_limit >= 0)
);
COMMENT ON TABLE identity.users IS
    'Accounts; the lock of a member''s row guards all that identity keeps of them (ID-01)';

CREATE TABLE identity.roles (
    user_id uuid NOT NULL CONSTRAINT fk_roles_user_id REFERENCES identity.users (id),
    role text NOT NULL CONSTRAINT ck_roles_role CHECK (role IN ('admin')),
    granted_at timestamptz NOT NULL,
    CONSTRAINT pk_roles PRIMARY KEY (user_id, role)
);
COMMENT ON TABLE identity.roles IS 'What a member may do beyond being one';

CREATE TABLE identity.sessions (
    id uuid NOT NULL CONSTRAINT pk_sessions PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_sessions_user_id REFERENCES identity.users (id),
    started_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revocation text,
    CONSTRAINT ck_sessions_revocation CHECK ((revoked_at IS NULL) = (revocation IS NULL))
);
CREATE INDEX ix_sessions_user_id ON identity.sessions (user_id);
COMMENT ON TABLE identity.sessions IS 'Sign-ins; times are the machine''s (ID-03)';

CREATE TABLE identity.refresh_tokens (
    hash bytea NOT NULL CONSTRAINT pk_refresh_tokens PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT fk_refresh_tokens_session_id REFERENCES identity.sessions (id),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_by uuid,
    successor bytea,
    CONSTRAINT ck_refresh_tokens_hash CHECK (octet_length(hash) = 32),
    CONSTRAINT ck_refresh_tokens_used CHECK (used_at IS NOT NULL OR (used_by IS NULL AND successor IS NULL))
);
CREATE UNIQUE INDEX uq_refresh_tokens_one_living ON identity.refresh_tokens (session_id) WHERE used_at IS NULL;
CREATE INDEX ix_refresh_tokens_session_id ON identity.refresh_tokens (session_id);
CREATE INDEX ix_refresh_tokens_expires_at ON identity.refresh_tokens (expires_at);
COMMENT ON TABLE identity.refresh_tokens IS
    'Families of refresh tokens, as hashes; at most one of a family lives (ID-03)';

CREATE TABLE identity.phone_challenges (
    id uuid NOT NULL CONSTRAINT pk_phone_challenges PRIMARY KEY,
    request_id uuid NOT NULL,
    phone_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    sent_at timestamptz,
    wrong_tries smallint NOT NULL DEFAULT 0,
    used_at timestamptz,
    used_by uuid,
    session_id uuid CONSTRAINT fk_phone_challenges_session_id REFERENCES identity.sessions (id) ON DELETE CASCADE,
    created_account boolean NOT NULL DEFAULT false,
    new_user_id uuid NOT NULL,
    phone_sealed bytea NOT NULL,
    data_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT uq_phone_challenges_phone_hash_request_id UNIQUE (phone_hash, request_id),
    CONSTRAINT ck_phone_challenges_wrong_tries CHECK (wrong_tries >= 0),
    CONSTRAINT ck_phone_challenges_sent_at CHECK (used_at IS NULL OR sent_at IS NOT NULL),
    CONSTRAINT ck_phone_challenges_used_by CHECK ((used_at IS NULL) = (used_by IS NULL)),
    CONSTRAINT ck_phone_challenges_session_id CHECK ((used_at IS NULL) = (session_id IS NULL))
);
CREATE INDEX ix_phone_challenges_phone_hash_issued_at ON identity.phone_challenges (phone_hash, issued_at);
CREATE INDEX ix_phone_challenges_created_at ON identity.phone_challenges (created_at);
CREATE INDEX ix_phone_challenges_session_id ON identity.phone_challenges (session_id) WHERE session_id IS NOT NULL;
COMMENT ON TABLE identity.phone_challenges IS
    'Codes for phones, sent or about to be, with all that the account needs that they may create (ID-02)';

CREATE TABLE identity.verification_signals (
    id uuid NOT NULL CONSTRAINT pk_verification_signals PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_verification_signals_user_id REFERENCES identity.users (id),
    signal_type text NOT NULL,
    provider text NOT NULL,
    opaque_token text NOT NULL,
    outcome text NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_verification_signals_signal_type CHECK (signal_type IN ('oauth', 'gov_id', 'booster')),
    CONSTRAINT ck_verification_signals_outcome CHECK (outcome IN ('pending', 'verified', 'refused')),
    CONSTRAINT ck_verification_signals_opaque_token CHECK (char_length(opaque_token) <= 512)
);
CREATE UNIQUE INDEX uq_verification_signals_user_id_signal_type_provider
    ON identity.verification_signals (user_id, signal_type, provider) WHERE deleted_at IS NULL;
COMMENT ON TABLE identity.verification_signals IS
    'A provider''s opaque token and its outcome, never a document (ID-05, ID-06); rows come with verification';
"""

PROFILES = """
CREATE TABLE identity.profiles (
    user_id uuid NOT NULL CONSTRAINT pk_profiles PRIMARY KEY
        CONSTRAINT fk_profiles_user_id REFERENCES identity.users (id),
    name text NOT NULL DEFAULT '',
    date_of_birth date,
    gender text,
    city text NOT NULL DEFAULT '',
    bio text NOT NULL DEFAULT '',
    occupation text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT '',
    age_band_changes_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT ck_profiles_gender CHECK (gender IN ('woman', 'man', 'non_binary')),
    CONSTRAINT ck_profiles_lengths CHECK (
        char_length(name) <= 60 AND char_length(city) <= 80 AND char_length(bio) <= 500
        AND char_length(occupation) <= 80 AND char_length(time_zone) <= 64)
);
CREATE INDEX ix_profiles_age_band_changes_at ON identity.profiles (age_band_changes_at)
    WHERE age_band_changes_at IS NOT NULL;
COMMENT ON TABLE identity.profiles IS 'The one profile of each user; empty where nothing was told yet (PR-01)';

CREATE TABLE identity.photo_uploads (
    id uuid NOT NULL CONSTRAINT pk_photo_uploads PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_photo_uploads_user_id REFERENCES identity.users (id),
    request_id uuid NOT NULL,
    content_type text NOT NULL,
    object_keys text[] NOT NULL,
    expires_at timestamptz NOT NULL,
    removing_at timestamptz,
    CONSTRAINT uq_photo_uploads_user_id_request_id UNIQUE (user_id, request_id)
);
CREATE INDEX ix_photo_uploads_expires_at ON identity.photo_uploads (expires_at);
COMMENT ON TABLE identity.photo_uploads IS
    'Offers to upload, with every object that may have come of them; times are the machine''s (PR-07)';

CREATE TABLE identity.photos (
    id uuid NOT NULL CONSTRAINT pk_photos PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_photos_user_id REFERENCES identity.users (id),
    position smallint NOT NULL,
    object_key text NOT NULL CONSTRAINT uq_photos_object_key UNIQUE,
    has_face boolean NOT NULL,
    quality_passed boolean NOT NULL,
    sharpness real NOT NULL,
    brightness real NOT NULL,
    width smallint NOT NULL,
    height smallint NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_photos_position CHECK (position BETWEEN 1 AND 6)
);
CREATE UNIQUE INDEX uq_photos_user_id_position ON identity.photos (user_id, position) WHERE deleted_at IS NULL;
COMMENT ON TABLE identity.photos IS 'At most 6 photos of each user, private until Day 15 (PR-02, PR-04)';

CREATE TABLE identity.hobby_options (
    id text NOT NULL CONSTRAINT pk_hobby_options PRIMARY KEY,
    name text NOT NULL CONSTRAINT uq_hobby_options_name UNIQUE,
    category text NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_hobby_options_id CHECK (id ~ '^[a-z][a-z0-9_]{1,39}$')
);
COMMENT ON TABLE identity.hobby_options IS 'The hobbies there are to choose from; reference data';

CREATE TABLE identity.hobbies (
    user_id uuid NOT NULL CONSTRAINT fk_hobbies_user_id REFERENCES identity.users (id),
    hobby_option_id text NOT NULL CONSTRAINT fk_hobbies_hobby_option_id REFERENCES identity.hobby_options (id),
    position smallint NOT NULL,
    micro_description text NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_hobbies PRIMARY KEY (user_id, hobby_option_id),
    CONSTRAINT ck_hobbies_position CHECK (position BETWEEN 1 AND 10),
    CONSTRAINT ck_hobbies_micro_description CHECK (char_length(micro_description) BETWEEN 3 AND 140)
);
CREATE UNIQUE INDEX uq_hobbies_user_id_position ON identity.hobbies (user_id, position) WHERE deleted_at IS NULL;
COMMENT ON TABLE identity.hobbies IS 'Each user''s hobbies, each option once, in their own words (PR-05)';
"""

DISCLOSURES = """
CREATE TABLE identity.disclosures (
    connection_id uuid NOT NULL CONSTRAINT pk_disclosures PRIMARY KEY,
    user_a_id uuid NOT NULL,
    user_b_id uuid NOT NULL,
    streak_id uuid CONSTRAINT uq_disclosures_streak_id UNIQUE,
    completed_days smallint,
    disclosed_at timestamptz,
    ended_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT ck_disclosures_pair_ordered CHECK (user_a_id < user_b_id),
    CONSTRAINT ck_disclosures_day_15 CHECK (completed_days = 15),
    CONSTRAINT ck_disclosures_whole CHECK (num_nulls(streak_id, completed_days, disclosed_at) IN (0, 3)),
    CONSTRAINT ck_disclosures_disclosed_or_ended CHECK (disclosed_at IS NOT NULL OR ended_at IS NOT NULL)
);
COMMENT ON TABLE identity.disclosures IS
    'Which pairs may see each other, and tombstones of those who never may (RE-04, RE-10)';
"""

# By category; an option's id is its name in lower_snake.
HOBBIES = {
    "Food": ("Bread baking", "Cooking for friends", "Coffee", "Wild herbs", "Fermenting", "Trying new kitchens"),
    "Outdoors": ("Hiking", "Cycling", "Bird watching", "Gardening", "Camping", "Wild swimming"),
    "Movement": ("Running", "Climbing", "Yoga", "Social dancing", "Team sports", "Martial arts"),
    "Making": ("Pottery", "Knitting", "Woodworking", "Drawing", "Photography", "Sewing"),
    "Music and stage": ("Playing an instrument", "Singing", "Concerts", "Theatre", "Vinyl records"),
    "Words and ideas": ("Novels", "Poetry", "Languages", "History", "Philosophy"),
    "Play": ("Board games", "Chess", "Video games", "Puzzles", "Pub quizzes"),
    "Care and community": ("Volunteering", "Animals", "Meditation", "Local politics", "Slow travel"),
}


def upgrade() -> None:
    create_messaging_tables("identity")
    run_sql(ACCOUNTS)
    run_sql(PROFILES)
    run_sql(DISCLOSURES)
    run_sql(_options())


def _options() -> str:
    """One statement, so that the migration can also be written out as SQL."""
    rows = [
        f"    ('{name.lower().replace(' ', '_')}', '{name}', '{category}')"
        for category, names in HOBBIES.items()
        for name in names
    ]
    return "INSERT INTO identity.hobby_options (id, name, category) VALUES\n" + ",\n".join(rows) + ";"
