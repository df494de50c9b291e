"""When an account was last closed, which ends the payments from before also if it is open again (ID-09).

The version before goes on beside this one: it cancels payments only while the account is closed.
"""

from unora_common.messaging_schema import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("ALTER TABLE billing.accounts ADD COLUMN last_closed_at timestamptz;")
