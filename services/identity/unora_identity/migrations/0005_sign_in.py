"""Admins' second factor, and codes that change a number (ID-14, ID-15).

Only columns that need no rewrite, and a new table: the version before goes on beside this one. The sessions that it
opens carry no role once this version refreshes them.
"""

from unora_common.messaging_schema import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SIGN_IN = """
ALTER TABLE identity.sessions ADD COLUMN admin_until timestamptz;

ALTER TABLE identity.phone_challenges ADD COLUMN changes_user_id uuid;

CREATE TABLE identity.second_factors (
    user_id uuid NOT NULL CONSTRAINT pk_second_factors PRIMARY KEY
        CONSTRAINT fk_second_factors_user_id REFERENCES identity.users (id),
    secret_sealed bytea NOT NULL,
    last_step bigint,
    wrong_at timestamptz[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE identity.second_factors IS
    'Sealed secrets for the sign-in of admins, and their latest tries; times are the machine''s (ID-15)';
"""


def upgrade() -> None:
    run_sql(SIGN_IN)
