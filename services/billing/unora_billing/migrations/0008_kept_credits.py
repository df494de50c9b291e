"""Credits of hidden accounts, which are kept (ID-13). The version before goes on beside this one: it forfeits them."""

from unora_common.messaging_schema import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("ALTER TABLE billing.accounts ADD COLUMN keeps_credits boolean NOT NULL DEFAULT false;")
