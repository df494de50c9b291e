"""Payments that are not settled are counted for the metrics (BI-02)."""

from unora_common.messaging_schema import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# It holds few rows. To find them it reads all payments once: some seconds for ten million, in which payments wait.
INDEX = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ix_payments_unsettled ON billing.payments (status, created_at)
    WHERE status IN ('created', 'pending', 'succeeded');
"""


def upgrade() -> None:
    run_sql(INDEX)
