"""Old failures of events are found by an index, so that removing them costs the same however many are stored."""

from unora_common.messaging_schema import index_inbox_failures

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_inbox_failures("streak")
