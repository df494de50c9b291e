"""Members who paused or closed their account (ID-09, ID-16).

Columns with defaults that hold for all members of now, a check that is wider than the one it replaces, and an index by
receiver. Nothing of what the version before reads or writes changes.
"""

from unora_common.messaging_schema import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

AWAY = """
ALTER TABLE matching.inventory
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    ADD COLUMN closed boolean NOT NULL DEFAULT false,
    ADD COLUMN away_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN away_at timestamptz;
ALTER TABLE matching.connections
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_connections_end_reason,
    ADD CONSTRAINT ck_connections_end_reason CHECK (
        end_reason IN ('not_a_fit', 'no_time', 'unresponsive', 'uncomfortable', 'other', 'block', 'suspension',
                       'closing')) NOT VALID;
CREATE INDEX ix_interests_receiver_id ON matching.interests (receiver_id)
    WHERE interest_status = 'pending' AND deleted_at IS NULL;
"""


def upgrade() -> None:
    run_sql(AWAY)
