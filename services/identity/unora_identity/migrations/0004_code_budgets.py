"""Budgets of codes and of wrong tries, known devices, and numbers with several forms (ID-01, ID-02, ID-11).

Only columns that need no rewrite, and new tables: the version before goes on beside this one. Codes that it sends spend
the number's budget alone, and its wrong tries count for their own code alone.
"""

from unora_common.messaging_schema import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHALLENGES = """
ALTER TABLE identity.phone_challenges
    ADD COLUMN phone_hashes bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN known_device bytea
        CONSTRAINT ck_phone_challenges_known_device CHECK (octet_length(known_device) = 32),
    ADD COLUMN account_only boolean NOT NULL DEFAULT false;
"""

BUDGETS = """
CREATE TABLE identity.code_spending (
    challenge_id uuid NOT NULL CONSTRAINT pk_code_spending PRIMARY KEY
        CONSTRAINT fk_code_spending_challenge_id REFERENCES identity.phone_challenges (id) ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    device_digest bytea,
    address_digest bytea,
    calling_code smallint NOT NULL,
    CONSTRAINT ck_code_spending_device_digest CHECK (octet_length(device_digest) = 32),
    CONSTRAINT ck_code_spending_address_digest CHECK (octet_length(address_digest) = 32)
);
CREATE INDEX ix_code_spending_issued_at ON identity.code_spending (issued_at);
CREATE INDEX ix_code_spending_calling_code_issued_at ON identity.code_spending (calling_code, issued_at);
CREATE INDEX ix_code_spending_device_digest_issued_at
    ON identity.code_spending (device_digest, issued_at) WHERE device_digest IS NOT NULL;
CREATE INDEX ix_code_spending_address_digest_issued_at
    ON identity.code_spending (address_digest, issued_at) WHERE address_digest IS NOT NULL;
COMMENT ON TABLE identity.code_spending IS
    'What the codes for devices that no account knows have spent; a row goes with its challenge (ID-11)';

CREATE TABLE identity.wrong_codes (
    challenge_id uuid NOT NULL,
    wrong_try smallint NOT NULL,
    phone_hash bytea NOT NULL,
    known_device bytea,
    tried_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_wrong_codes PRIMARY KEY (challenge_id, wrong_try),
    CONSTRAINT ck_wrong_codes_phone_hash CHECK (octet_length(phone_hash) = 32),
    CONSTRAINT ck_wrong_codes_known_device CHECK (octet_length(known_device) = 32)
);
CREATE INDEX ix_wrong_codes_phone_hash_tried_at ON identity.wrong_codes (phone_hash, tried_at);
CREATE INDEX ix_wrong_codes_created_at ON identity.wrong_codes (created_at);
COMMENT ON TABLE identity.wrong_codes IS
    'Wrong codes, over all codes of a number; they may outlive their challenge (ID-02)';
"""

DEVICES = """
CREATE TABLE identity.past_devices (
    user_id uuid NOT NULL CONSTRAINT fk_past_devices_user_id REFERENCES identity.users (id),
    device_digest bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT pk_past_devices PRIMARY KEY (user_id, device_digest),
    CONSTRAINT ck_past_devices_device_digest CHECK (octet_length(device_digest) = 32)
);
CREATE INDEX ix_past_devices_seen_at ON identity.past_devices (seen_at);
COMMENT ON TABLE identity.past_devices IS
    'Devices of deleted sessions, which their account goes on knowing; times are the machine''s (ID-02)';
"""


def upgrade() -> None:
    run_sql(CHALLENGES)
    run_sql(BUDGETS)
    run_sql(DEVICES)
