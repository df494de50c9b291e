"""Repeated chargebacks raise a flag (SA-04, BI-10)."""

from unora_common.messaging_schema import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The new check is wider than the one that it replaces, so the rows that are there hold it.
RULE = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE safety.flag_rules DROP CONSTRAINT ck_flag_rules_pattern;
ALTER TABLE safety.flag_rules ADD CONSTRAINT ck_flag_rules_pattern CHECK (
    pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',
                'payment_abuse', 'outlier', 'chargebacks')) NOT VALID;
INSERT INTO safety.flag_rules (pattern, threshold, window_hours, enabled) VALUES ('chargebacks', 2, 2160, true);
"""


def upgrade() -> None:
    run_sql(RULE)
