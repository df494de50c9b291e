"""Flags for an older date of birth after an under-age one, and lengths in graphemes (SA-04, ID-08, PR-12).

The constraints are looser than those before, so what is stored fits.
"""

from unora_common.messaging_schema import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PATTERN = """
ALTER TABLE safety.flag_rules
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_flag_rules_pattern,
    ADD CONSTRAINT ck_flag_rules_pattern CHECK (
        pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',
                    'payment_abuse', 'outlier', 'chargebacks', 'under_age_date'));
INSERT INTO safety.flag_rules (pattern, threshold, window_hours, enabled) VALUES ('under_age_date', 1, 8784, true);
"""

LENGTHS = """
ALTER TABLE safety.reports
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_reports_note,
    ADD CONSTRAINT ck_reports_note CHECK (char_length(note) <= 8000);
ALTER TABLE safety.appeals
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_appeals_text,
    ADD CONSTRAINT ck_appeals_text CHECK (char_length(text) BETWEEN 1 AND 32000);
"""


def upgrade() -> None:
    run_sql(PATTERN)
    run_sql(LENGTHS)
