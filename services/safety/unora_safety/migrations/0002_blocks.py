"""Blocks: the members' own, by target (SA-02)."""

from unora_common.messaging_schema import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE safety.blocked_pairs (
    blocker_id uuid NOT NULL,
    blocked_id uuid NOT NULL,
    began_with_id uuid,
    version bigint NOT NULL,
    CONSTRAINT pk_blocked_pairs PRIMARY KEY (blocker_id, blocked_id),
    CONSTRAINT ck_blocked_pairs_two_members CHECK (blocker_id <> blocked_id),
    CONSTRAINT ck_blocked_pairs_version CHECK (version >= 0)
);
COMMENT ON TABLE safety.blocked_pairs IS
    'What was told of one member''s blocks of another; its row is the lock under which they change (SA-02)';

CREATE TABLE safety.blocks (
    id uuid NOT NULL CONSTRAINT pk_blocks PRIMARY KEY,
    blocker_id uuid NOT NULL,
    blocked_id uuid NOT NULL,
    target_kind text NOT NULL,
    target_id uuid NOT NULL,
    blocked_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT fk_blocks_blocker_id_blocked_id FOREIGN KEY (blocker_id, blocked_id)
        REFERENCES safety.blocked_pairs (blocker_id, blocked_id),
    CONSTRAINT ck_blocks_target_kind CHECK (target_kind IN ('card', 'connection')),
    CONSTRAINT ck_blocks_deleted_at CHECK (deleted_at >= blocked_at)
);
CREATE UNIQUE INDEX uq_blocks_one_in_force ON safety.blocks (blocker_id, target_kind, target_id)
    WHERE deleted_at IS NULL;
CREATE INDEX ix_blocks_in_force ON safety.blocks (blocker_id, blocked_id) WHERE deleted_at IS NULL;
CREATE INDEX ix_blocks_of_blocker ON safety.blocks (blocker_id, blocked_at, id) WHERE deleted_at IS NULL;
COMMENT ON TABLE safety.blocks IS
    'User-to-user blocks, one a target; one is in force while any of its direction is not deleted (SA-02)';
"""

LIFTED_ONCE = """
CREATE FUNCTION safety.keep_block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NOT NULL OR to_jsonb(NEW) - 'deleted_at' <> to_jsonb(OLD) - 'deleted_at' THEN
        RAISE EXCEPTION 'a block can only be lifted, once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'block_lifted_once';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_block BEFORE UPDATE ON safety.blocks FOR EACH ROW EXECUTE FUNCTION safety.keep_block();
"""


def upgrade() -> None:
    for script in (TABLES, LIFTED_ONCE):
        run_sql(script)
