"""How far rebuilds of projections have come (XX-08), and when the member acted who ended a connection (BI-05)."""

from unora_common.messaging_schema import create_rebuilds, run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Until now only the event said it. For a connection that ended before, null says that it is not known.
ACTED_AT = """
ALTER TABLE matching.connections ADD COLUMN acted_at timestamptz;
ALTER TABLE matching.connections
    ADD CONSTRAINT ck_connections_acted_before CHECK (acted_at IS NULL OR acted_at <= ended_at) NOT VALID;
"""


def upgrade() -> None:
    create_rebuilds("matching")
    run_sql(ACTED_AT)
