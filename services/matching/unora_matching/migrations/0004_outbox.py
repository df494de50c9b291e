"""An event that was not published cannot be deleted (XX-02)."""

from unora_common.messaging_schema import hold_outbox

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    hold_outbox("matching")
