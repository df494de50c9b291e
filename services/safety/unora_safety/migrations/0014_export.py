"""A member's lifted blocks are found by an index too, for their export (ID-10)."""

from unora_common.messaging_schema import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A member makes few blocks, so it is made within a moment.
INDEX = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_blocks_blocker_id ON safety.blocks (blocker_id);
"""


def upgrade() -> None:
    run_sql(INDEX)
