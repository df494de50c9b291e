"""The pattern of a sighting is held by a check, not by a foreign key, which locked one rule's row for all events."""

from unora_common.messaging_schema import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The rows that are there hold the check, since they held the foreign key.
CHECK_NOT_REFERENCE = """
ALTER TABLE safety.sightings ADD CONSTRAINT ck_sightings_pattern CHECK (
    pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',
                'payment_abuse', 'outlier', 'chargebacks', 'under_age_date')) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE safety.sightings DROP CONSTRAINT fk_sightings_pattern;
"""


def upgrade() -> None:
    run_sql(CHECK_NOT_REFERENCE)
