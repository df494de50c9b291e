"""How far the command has come that makes the pool anew, so that it goes on after an interruption (XX-08)."""

from unora_common.messaging_schema import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REBUILDS = """
CREATE TABLE discovery.rebuilds (
    part text NOT NULL CONSTRAINT pk_rebuilds PRIMARY KEY,
    run_id uuid NOT NULL,
    token text NOT NULL,
    members bigint NOT NULL,
    finished_at timestamptz,
    CONSTRAINT ck_rebuilds_part CHECK (part IN ('restrictions', 'inventories', 'tiers', 'profiles')),
    CONSTRAINT ck_rebuilds_members CHECK (members >= 0)
);
COMMENT ON TABLE discovery.rebuilds IS
    'Of each part of the pool, how far the latest rebuild has come; times are the machine''s (XX-08)';
"""


def upgrade() -> None:
    run_sql(REBUILDS)
