"""Numbers that have another owner by now, and how an account comes back (ID-13).

A nullable column and two new tables: the version before goes on beside this one. Accounts that it signs in have no time
of last use; their tokens tell.
"""

from unora_common.messaging_schema import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NUMBERS = """
ALTER TABLE identity.users ADD COLUMN last_used_at timestamptz;

CREATE TABLE identity.wrong_birth_dates (
    user_id uuid NOT NULL
        CONSTRAINT fk_wrong_birth_dates_user_id REFERENCES identity.users (id),
    request_id uuid NOT NULL,
    tried_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_wrong_birth_dates PRIMARY KEY (user_id, request_id)
);
CREATE INDEX ix_wrong_birth_dates_created_at ON identity.wrong_birth_dates (created_at);
COMMENT ON TABLE identity.wrong_birth_dates IS
    'Calls that gave a wrong birth date for an account, over all codes and devices; never the date (ID-13)';

CREATE TABLE identity.recovery_checks (
    id uuid NOT NULL CONSTRAINT pk_recovery_checks PRIMARY KEY,
    request_id uuid NOT NULL,
    phone_hash bytea NOT NULL CONSTRAINT ck_recovery_checks_phone_hash CHECK (octet_length(phone_hash) = 32),
    provider text NOT NULL,
    started_at timestamptz NOT NULL,
    outcome text CONSTRAINT ck_recovery_checks_outcome CHECK (outcome IN ('verified', 'refused')),
    opaque_token text NOT NULL DEFAULT ''
        CONSTRAINT ck_recovery_checks_opaque_token CHECK (char_length(opaque_token) <= 512),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT uq_recovery_checks_phone_hash_request_id UNIQUE (phone_hash, request_id)
);
CREATE INDEX ix_recovery_checks_created_at ON identity.recovery_checks (created_at);
COMMENT ON TABLE identity.recovery_checks IS
    'Checks of a Gov ID by which the owner of a number wants an account back; of no member until then (ID-13)';
"""


def upgrade() -> None:
    run_sql(NUMBERS)
