"""What the provider told long ago, and old failures of events, are found by an index, so that they can be removed.

Nothing of what the version before reads or writes changes.
"""

from unora_common.messaging_schema import index_inbox_failures, run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PROVIDER_EVENTS = """
CREATE INDEX ix_provider_events_received_at ON billing.provider_events (received_at);
"""


def upgrade() -> None:
    run_sql(PROVIDER_EVENTS)
    index_inbox_failures("billing")
