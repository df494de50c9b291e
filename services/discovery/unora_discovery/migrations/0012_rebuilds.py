"""Rebuilds have more parts than the pool's (XX-08): the code names them, and a check would stop the version before."""

from unora_common.messaging_schema import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PARTS = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE discovery.rebuilds DROP CONSTRAINT ck_rebuilds_part;
COMMENT ON TABLE discovery.rebuilds IS
    'Of each projection, how far the latest rebuild has come; times are the machine''s (XX-08)';
"""


def upgrade() -> None:
    run_sql(PARTS)
