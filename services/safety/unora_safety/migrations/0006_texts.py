"""Flags for an older date of birth after an under-age one, and lengths in graphemes (SA-04, ID-08, PR-12).

The constraints are looser than those before, so what is stored fits.
"""

from unora_common.messaging_schema import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PATTERN = """
ALTER TABLE safety.flag_rules DROP CONSTRAINT ck_flag_rules_pattern;
ALTER TABLE safety.flag_rules ADD CONSTRAINT ck_flag_rules_pattern CHECK (
    pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',
                'payment_abuse', 'outlier', 'under_age_date')) NOT VALID;
ALTER TABLE safety.flag_rules VALIDATE CONSTRAINT ck_flag_rules_pattern;
INSERT INTO safety.flag_rules (pattern, threshold, window_hours, enabled) VALUES ('under_age_date', 1, 8784, true);
"""

LENGTHS = """
ALTER TABLE safety.reports DROP CONSTRAINT ck_reports_note;
ALTER TABLE safety.reports ADD CONSTRAINT ck_reports_note_code_points CHECK (char_length(note) <= 8000) NOT VALID;
ALTER TABLE safety.reports VALIDATE CONSTRAINT ck_reports_note_code_points;
ALTER TABLE safety.appeals DROP CONSTRAINT ck_appeals_text;
ALTER TABLE safety.appeals ADD CONSTRAINT ck_appeals_text_code_points
    CHECK (char_length(text) BETWEEN 1 AND 32000) NOT VALID;
ALTER TABLE safety.appeals VALIDATE CONSTRAINT ck_appeals_text_code_points;
"""


def upgrade() -> None:
    run_sql(PATTERN)
    run_sql(LENGTHS)
