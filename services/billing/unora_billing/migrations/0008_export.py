"""A member's ended subscriptions are found by an index too, for their export (ID-10)."""

from unora_common.messaging_schema import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Few members ever had one, so it is made within a moment.
INDEX = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_subscriptions_user_id ON billing.subscriptions (user_id);
"""


def upgrade() -> None:
    run_sql(INDEX)
