"""Traces of closed accounts, by which a suspended member is known again (ID-09, SA-04).

The checks are wider than those before, so what is stored fits. The version before knows neither the table nor the
pattern.
"""

from unora_common.messaging_schema import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PATTERNS = """
    pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',
                'payment_abuse', 'outlier', 'chargebacks', 'under_age_date', 'suspended_before')"""

PATTERN = f"""
ALTER TABLE safety.flag_rules
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_flag_rules_pattern,
    ADD CONSTRAINT ck_flag_rules_pattern CHECK ({PATTERNS}) NOT VALID;
ALTER TABLE safety.sightings
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_sightings_pattern,
    ADD CONSTRAINT ck_sightings_pattern CHECK ({PATTERNS}) NOT VALID;
INSERT INTO safety.flag_rules (pattern, threshold, window_hours, enabled) VALUES ('suspended_before', 1, 8784, true);
"""

TRACES = """
CREATE TABLE safety.account_traces (
    digest bytea NOT NULL,
    user_id uuid NOT NULL,
    suspended boolean NOT NULL,
    closed_at timestamptz NOT NULL,
    CONSTRAINT pk_account_traces PRIMARY KEY (digest, user_id),
    CONSTRAINT ck_account_traces_digest CHECK (octet_length(digest) = 32)
);
CREATE INDEX ix_account_traces_user_id ON safety.account_traces (user_id);
CREATE INDEX ix_account_traces_closed_at ON safety.account_traces (closed_at);
COMMENT ON TABLE safety.account_traces IS
    'Keyed hashes of number and devices of closed accounts; of suspended members for two years (ID-09)';
CREATE INDEX ix_device_accounts_user_id ON safety.device_accounts (user_id);
"""


def upgrade() -> None:
    run_sql(PATTERN)
    run_sql(TRACES)
