"""The server of a row is held by a check, not by a foreign key, which locked one of three rows for all members."""

from unora_common.messaging_schema import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The rows that are there hold the check, since they held the foreign key.
CHECK_NOT_REFERENCE = """
ALTER TABLE discovery.{table} ADD CONSTRAINT ck_{table}_server_type CHECK (
    server_type IN ('partner', 'friend', 'growth')) NOT VALID;
-- squawk-ignore ban-drop-constraint
ALTER TABLE discovery.{table} DROP CONSTRAINT fk_{table}_server_type;
"""


def upgrade() -> None:
    for table in ("server_memberships", "filters", "waiting_interests", "discovery_batches"):
        run_sql(CHECK_NOT_REFERENCE.format(table=table))
