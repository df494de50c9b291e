"""Tiers that fall, standing and blocks (MA-07, MA-12, SA-08); interests that are withdrawn or expire (MA-11).

A replica of the version before may still run beside this schema: new columns have defaults that hold for what it
writes, and what it could write before it may write still.
"""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A check is widened in one statement, so that at no moment there is none.

INVENTORY = """
ALTER TABLE matching.inventory
    ADD COLUMN tier_limit integer NOT NULL DEFAULT 1,
    ADD COLUMN tier_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN restricted boolean NOT NULL DEFAULT false,
    ADD COLUMN suspended boolean NOT NULL DEFAULT false,
    ADD COLUMN standing_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN standing_at timestamptz;
UPDATE matching.inventory SET tier_limit = connection_limit;
ALTER TABLE matching.inventory ADD CONSTRAINT ck_inventory_effective_limit
    CHECK (connection_limit = greatest(tier_limit, active_connection_count));
"""

BLOCKED_PAIRS = """
CREATE TABLE matching.blocked_pairs (
    blocker_id uuid NOT NULL,
    blocked_id uuid NOT NULL,
    block_id uuid NOT NULL,
    version bigint NOT NULL,
    blocked boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_blocked_pairs PRIMARY KEY (blocker_id, blocked_id),
    CONSTRAINT ck_blocked_pairs_not_oneself CHECK (blocker_id <> blocked_id)
);
COMMENT ON TABLE matching.blocked_pairs IS
    'Who blocks whom, each direction by itself, as safety tells it (MA-12); a lifted block stays as such';
"""

CONNECTIONS = """
ALTER TABLE matching.connections
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_connections_end_reason,
    ADD CONSTRAINT ck_connections_end_reason CHECK (
        end_reason IN ('not_a_fit', 'no_time', 'unresponsive', 'uncomfortable', 'other', 'block', 'suspension'));
"""

INTERESTS = """
ALTER TABLE matching.interests
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_interests_interest_status,
    ADD CONSTRAINT ck_interests_interest_status CHECK (
        interest_status IN ('pending', 'matched', 'wiped', 'void', 'withdrawn', 'expired')),
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck_interests_shown_as,
    ADD CONSTRAINT ck_interests_shown_as CHECK (
        CASE interest_status WHEN 'void' THEN shown_as IN ('pending', 'wiped', 'withdrawn', 'expired')
            ELSE shown_as = interest_status END);
CREATE INDEX ix_interests_sent_at ON matching.interests (sent_at) WHERE shown_as = 'pending' AND deleted_at IS NULL;
"""

WIPES = """
-- squawk-ignore ban-drop-not-null
ALTER TABLE matching.interest_wipes ALTER COLUMN connection_id DROP NOT NULL;
COMMENT ON TABLE matching.interest_wipes IS
    'Log of Total Wipes, one for each last slot that a connection or a tier took (MA-04); append-only';
"""


def upgrade() -> None:
    for script in (INVENTORY, BLOCKED_PAIRS, CONNECTIONS, INTERESTS, WIPES):
        run_sql(script)
