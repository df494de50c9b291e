"""What carriers tell of codes (ID-02), the devices that get push messages, and what members want to be told (ID-17).

A device goes with its session: whatever ends the session deletes it in the same statement (store/sessions.py), and the
clean-up of sessions by the foreign key.
"""

from unora_common.messaging_schema import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The carrier may tell of a message before its id is stored with the challenge: then the row waits for it.
TEXT_MESSAGES = """
CREATE TABLE identity.text_messages (
    message_id text NOT NULL CONSTRAINT pk_text_messages PRIMARY KEY,
    challenge_id uuid CONSTRAINT fk_text_messages_challenge_id
        REFERENCES identity.phone_challenges (id) ON DELETE CASCADE,
    delivery text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT ck_text_messages_message_id CHECK (char_length(message_id) BETWEEN 1 AND 64),
    CONSTRAINT ck_text_messages_delivery CHECK (delivery IN ('sent', 'failed', 'delivered')),
    CONSTRAINT ck_text_messages_told CHECK (challenge_id IS NOT NULL OR delivery IS NOT NULL)
);
CREATE INDEX ix_text_messages_challenge_id ON identity.text_messages (challenge_id) WHERE challenge_id IS NOT NULL;
CREATE INDEX ix_text_messages_created_at ON identity.text_messages (created_at);
COMMENT ON TABLE identity.text_messages IS
    'Text messages with codes by the carrier''s ids, and what it told of their delivery, in any order (ID-02)';
"""

PUSH_DEVICES = """
CREATE TABLE identity.push_devices (
    id uuid NOT NULL CONSTRAINT pk_push_devices PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT fk_push_devices_session_id
        REFERENCES identity.sessions (id) ON DELETE CASCADE,
    platform text NOT NULL,
    token_hash bytea NOT NULL,
    token_sealed bytea NOT NULL,
    locale text NOT NULL DEFAULT '',
    registered_at timestamptz NOT NULL,
    CONSTRAINT uq_push_devices_session_id UNIQUE (session_id),
    CONSTRAINT uq_push_devices_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_push_devices_platform CHECK (platform IN ('fcm', 'apns', 'web')),
    CONSTRAINT ck_push_devices_token_hash CHECK (octet_length(token_hash) = 32),
    CONSTRAINT ck_push_devices_locale CHECK (char_length(locale) <= 35)
);
COMMENT ON TABLE identity.push_devices IS
    'Where push messages go: one token for a session, sealed, and found by a keyed hash; times are the'
    ' machine''s (ID-17)';
"""

NOTIFICATION_SETTINGS = """
CREATE TABLE identity.notification_settings (
    user_id uuid NOT NULL CONSTRAINT pk_notification_settings PRIMARY KEY
        CONSTRAINT fk_notification_settings_user_id REFERENCES identity.users (id),
    muted text[] NOT NULL DEFAULT '{}',
    quiet_from time,
    quiet_until time,
    locale text NOT NULL DEFAULT '',
    CONSTRAINT ck_notification_settings_muted CHECK (
        muted <@ ARRAY['connections', 'streaks', 'reveals', 'discovery', 'payments', 'safety']::text[]
        AND cardinality(muted) <= 6),
    CONSTRAINT ck_notification_settings_quiet CHECK (
        (quiet_from IS NULL) = (quiet_until IS NULL) AND quiet_from <> quiet_until),
    CONSTRAINT ck_notification_settings_locale CHECK (char_length(locale) <= 35)
);
COMMENT ON TABLE identity.notification_settings IS
    'What a member wants to be told, when, in their own time zone, and in which locale; no row: everything (ID-17)';
"""


def upgrade() -> None:
    run_sql(TEXT_MESSAGES)
    run_sql(PUSH_DEVICES)
    run_sql(NOTIFICATION_SETTINGS)
